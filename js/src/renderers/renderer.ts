import type { Sizing } from "../camera.ts";
import type { Companions } from "../companions.ts";
import { placed } from "../frame/companions.ts";
import type { LibraryName } from "../libraries.ts";
import type { Shot } from "../taking.ts";

/** Lets go of what a rendering holds: observers, workers, views. The element belongs to the caller. */
export type Cleanup = () => void;

/** The data of one MIME type, as a renderer in a frame gets it. */
export interface Bundle {
  mime: string;
  bytes: Uint8Array;
  /** MIME metadata of this type. */
  metadata: Record<string, unknown>;
  /** Files and load messages that came with it. */
  companions: Companions;
  /** A library's global, loaded first if need be. */
  library<T>(name: LibraryName): Promise<T>;
  /** Tells the user about something that was left out, in one line. */
  notice(text: string): void;
  /** The line to the comms of the session that the output is of; the same each time. */
  comms(): Promise<MessagePort>;
  /** Draws data of another MIME type into an element, as a part of what is drawn. */
  draw(el: HTMLElement, mime: string, bytes: Uint8Array, metadata: Record<string, unknown>): Promise<Cleanup>;
  /** Whether the user has allowed this output an address; if not, the user is told that it was asked for. */
  reaches(address: string): boolean;
  /** How large drawings are to be. */
  sizing: Sizing;
}

/**
 * What one file of this folder exports for the frame. `render` resolves when the pixels are there and rejects with an
 * error in the user's words; it throws nothing away on its own.
 */
export interface Renderer {
  render(el: HTMLElement, bundle: Bundle): Promise<Cleanup> | Cleanup;
  /** Draws a new version in place, keeping what the user did to the view. Absent: clean up and render again. */
  update?(el: HTMLElement, bundle: Bundle): Promise<void>;
  /** The user wants drawings in another size. Absent: it is drawn in one way only. */
  size?(el: HTMLElement, sizing: Sizing): Promise<void> | void;
  /** A small picture of what is drawn, for the filmstrip. */
  picture?(el: HTMLElement): Promise<Blob | null>;
  /** What is drawn, as it is seen, to be taken away. Absent: the document is (see `page.ts`). */
  snapshot?(el: HTMLElement, shot: Shot): Promise<Blob | null>;
}

/** The bytes as text. */
export const text = (bundle: Bundle): string => new TextDecoder().decode(bundle.bytes);

/** The bytes as text whose URLs name the files that came with it. */
export const linked = (bundle: Bundle): string => placed(text(bundle), bundle.companions.assets);

/** The bytes as a JSON value. */
export const json = <T>(bundle: Bundle): T => JSON.parse(text(bundle)) as T;
