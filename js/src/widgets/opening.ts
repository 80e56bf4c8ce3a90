/** A comm that a session has opened, with its model's state as it is by now; and what is done with buffers and texts in it. */
import { isObject, type Header } from "../protocol.ts";

export type State = Record<string, unknown>;

/** Where in a state a buffer belongs. */
export type Path = (string | number)[];

export interface Opening {
  id: string;
  target: string;
  metadata: Record<string, unknown>;
  state: State;
}

/** A front-end module's text, and the scripts that it takes as given. */
export interface ModuleText {
  text: string;
  scripts: readonly { name: string; text: string }[];
}

/** Where models come from: a session, or what was kept of one. */
export interface Source {
  /** All that is open, whether anybody shows it or not. */
  readonly openings: ReadonlyMap<string, Opening>;
  /** What is open by that id, or will be in a moment. Rejects when it does not come. */
  opening(id: string): Promise<Opening>;
  /** The comm of a model that is made; nothing where nobody answers any more. */
  comm(opening: Opening): Comm | undefined;
  /** A comm that was begun here. */
  begin(target: string, id: string): Comm;
  /** The text of the user's own front-end module. @throws why it cannot be had */
  module(name: string): ModuleText;
}

/** A message as a model gets it, in the form of Jupyter messaging. */
export interface Said {
  header: { msg_type: string };
  parent_header: { msg_id?: string };
  metadata: Record<string, unknown>;
  content: { comm_id: string; data: Record<string, unknown> };
  buffers: DataView[];
}

/** What is called about a message that was sent. */
export interface Callbacks {
  iopub?: { status?(message: { header: object; content: { execution_state: string } }): void };
}

/** The frame's end of a comm, as models use it (`IClassicComm` of `@jupyter-widgets/base`). */
export interface Comm {
  readonly comm_id: string;
  readonly target_name: string;
  on_msg(handler: (said: Said) => unknown): void;
  on_close(handler: (said: Said) => unknown): void;
  open(data: unknown, callbacks?: Callbacks, metadata?: object, buffers?: Part[]): string;
  send(data: unknown, callbacks?: Callbacks, metadata?: object, buffers?: Part[]): string;
  close(data?: unknown, callbacks?: Callbacks, metadata?: object, buffers?: Part[]): string;
  /** Hold what comes until the model is there, and what is for a widget's own code until it is seen: its view listens too. */
  hold(model: Promise<unknown>, seen: Promise<unknown>): void;
}

export type Part = ArrayBuffer | ArrayBufferView;

/** The state that a message carries, with its buffers and long texts where they belong. */
export function stateOf(header: Header, buffers: readonly ArrayBuffer[], text: (sha256: string) => string | undefined): State {
  const data = isObject(header.data) ? header.data : {};
  const state: State = isObject(data.state) ? data.state : {};
  const texts = isObject(header.texts) ? header.texts : {};
  for (const [key, name] of Object.entries(texts)) state[key] = text(String(name)) ?? "";
  putBuffers(state, data.buffer_paths, buffers.map((each) => new DataView(each)));
  return state;
}

/** Puts buffers where their paths point; those that point nowhere are left out. */
export function putBuffers(state: State, paths: unknown, buffers: readonly DataView[]): void {
  if (!Array.isArray(paths)) return;
  for (const [n, path] of paths.slice(0, buffers.length).entries()) put(state, path, buffers[n]!);
}

function put(state: State, path: unknown, buffer: DataView): void {
  if (!Array.isArray(path) || path.length === 0) return;
  let place: unknown = state;
  for (const key of path.slice(0, -1) as Path) {
    if (!isContainer(place) || !Object.hasOwn(place, key)) return;
    place = place[key];
  }
  if (isContainer(place)) place[path.at(-1) as string] = buffer;
}

const isContainer = (value: unknown): value is Record<string | number, unknown> => typeof value === "object" && value !== null && !(value instanceof DataView);

const MODEL = "IPY_MODEL_";

/** The ids of the models that a value refers to, however deep. */
export function modelsIn(value: unknown): string[] {
  if (typeof value === "string") return value.startsWith(MODEL) ? [value.slice(MODEL.length)] : [];
  if (!isContainer(value)) return [];
  return Object.values(value).flatMap(modelsIn);
}

/**
 * Models without a view of their own that refer to one that is there, such as links between two widgets: nothing shows
 * them, and yet they do their work here.
 */
export function followers({ openings }: Source, isMade: (id: string) => boolean): string[] {
  const refers = ({ state }: Opening): boolean => state._view_name === null && modelsIn(state).some(isMade);
  return [...openings.values()].filter((each) => !isMade(each.id) && refers(each)).map(({ id }) => id);
}

/** A value with other texts in it, however deep. */
export function withTexts<T>(value: T, replace: (text: string) => string): T {
  if (typeof value === "string") return replace(value) as T;
  if (Array.isArray(value)) return value.map((each: unknown) => withTexts(each, replace)) as T;
  if (!isObject(value) || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withTexts(each, replace)])) as T;
}
