/**
 * What the shell and a frame say to each other, once the shell has handed over its port.
 *
 * Everything from a frame is hostile until `parseFromFrame` has looked at it.
 */
import type { Sizing } from "../camera.ts";
import type { Companions } from "../companions.ts";
import type { LibraryName } from "../libraries.ts";
import { isObject } from "../protocol.ts";
import type { Shot } from "../taking.ts";

export type Theme = "light" | "dark";

/** Bytes of a library's script; `null` when the frame has it already. */
export interface LibraryBytes {
  name: LibraryName;
  bytes: ArrayBuffer;
}

export type ToFrame =
  | { type: "load"; library: LibraryBytes }
  | { type: "render"; turn: number; mime: string; renderer: string; bytes: ArrayBuffer; metadata: Record<string, unknown>; companions: Companions; theme: Theme; fresh: boolean }
  | { type: "theme"; theme: Theme }
  | { type: "keys"; chords: string[] }
  | { type: "zoomed"; on: boolean }
  | { type: "sizing"; sizing: Sizing }
  | { type: "snapshot"; number: number; shot: Shot }
  | { type: "comms"; port: MessagePort }
  | { type: "ping" };

export type FromFrame =
  | { type: "loaded"; name: string }
  | { type: "want"; name: string }
  | { type: "ready"; turn: number }
  | { type: "failed"; turn: number; message: string }
  | { type: "picture"; turn: number; bytes: ArrayBuffer }
  | { type: "snapshot"; number: number; bytes: ArrayBuffer | null; problem: string }
  | { type: "notice"; text: string }
  | { type: "blocked"; host: string }
  | { type: "key"; chord: string }
  | { type: "zoom"; pixels: number; x: number; y: number }
  | { type: "pan"; x: number; y: number }
  | { type: "link"; href: string }
  | { type: "comms" }
  | { type: "pong" };

/** What the frame's first word to its parent is, and what it is answered with; the nonce is in the frame's name. */
export const HELLO = "ipyweb:frame";
export const PORT = "ipyweb:port";

const LONGEST_TEXT = 4000;
export const LARGEST_PICTURE = 2 ** 20;
const LARGEST_SNAPSHOT = 2 ** 26;

const isText = (value: unknown): value is string => typeof value === "string" && value.length <= LONGEST_TEXT;
const isLength = (value: unknown): boolean => Number.isFinite(value) && Math.abs(value as number) < 1e5;
const isTurn = (value: unknown): boolean => Number.isSafeInteger(value);
const isPicture = (value: unknown): boolean => value instanceof ArrayBuffer && value.byteLength <= LARGEST_PICTURE;

const isSnapshot = (value: unknown): boolean => value === null || (value instanceof ArrayBuffer && value.byteLength <= LARGEST_SNAPSHOT);

const SCHEMA: Record<string, Record<string, (value: unknown) => boolean>> = {
  loaded: { name: isText },
  want: { name: isText },
  ready: { turn: isTurn },
  failed: { turn: isTurn, message: isText },
  picture: { turn: isTurn, bytes: isPicture },
  snapshot: { number: isTurn, bytes: isSnapshot, problem: isText },
  notice: { text: isText },
  blocked: { host: isText },
  key: { chord: isText },
  zoom: { pixels: isLength, x: isLength, y: isLength },
  pan: { x: isLength, y: isLength },
  link: { href: isText },
  comms: {},
  pong: {},
};

/** The message, if it is one that a frame may send; only its known fields. */
export function parseFromFrame(data: unknown): FromFrame | null {
  if (!isObject(data) || typeof data.type !== "string" || !Object.hasOwn(SCHEMA, data.type)) return null;
  const fields = Object.entries(SCHEMA[data.type]!);
  if (!fields.every(([name, valid]) => Object.hasOwn(data, name) && valid(data[name]))) return null;
  return Object.fromEntries([["type", data.type], ...fields.map(([name]) => [name, data[name]])]) as FromFrame;
}

/** Cuts a text to what a message may carry. */
export const cut = (text: string): string => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text);
