/**
 * Messages, frames and records: the mirror of `ipyweb/protocol.py`, which is the truth.
 *
 * A message without buffers is a text frame: one JSON object. With buffers it is a binary frame: the length of the JSON
 * as an unsigned 32-bit big-endian integer, the JSON in UTF-8, the buffers; the JSON names their lengths as `buffers`.
 * `tests/frames/` holds frames that both sides must read alike.
 */

/** Version of the protocol spoken here. */
export const PROTOCOL = 1;

/** Largest frame in bytes. */
export const MAX_FRAME = 2 ** 20;

export interface Header {
  type: string;
  [field: string]: unknown;
}

export interface Message {
  header: Header;
  /** The raw parts, as views into the frame. */
  buffers: Uint8Array[];
}

/** A frame that is not what the protocol says. */
export class FrameError extends Error {
  override name = "FrameError";
}

/** Encode one message: a string without buffers, bytes with them. */
export function encode(header: Header, buffers: Uint8Array[] = []): string | Uint8Array {
  if (buffers.length === 0) return JSON.stringify(header);
  const head = new TextEncoder().encode(JSON.stringify({ ...header, buffers: buffers.map((each) => each.byteLength) }));
  const frame = new Uint8Array(buffers.reduce((sum, each) => sum + each.byteLength, 4 + head.byteLength));
  new DataView(frame.buffer).setUint32(0, head.byteLength);
  let end = 4;
  for (const part of [head, ...buffers]) {
    frame.set(part, end);
    end += part.byteLength;
  }
  return frame;
}

/**
 * Decode one frame.
 *
 * @throws {FrameError} when it is malformed
 */
export function decode(frame: string | ArrayBuffer | Uint8Array): Message {
  if (typeof frame === "string") return { header: parseHeader(frame), buffers: [] };
  const bytes = frame instanceof Uint8Array ? frame : new Uint8Array(frame);
  if (bytes.byteLength < 4) throw new FrameError(`expected a binary frame of at least 4 bytes, got ${bytes.byteLength}`);
  const end = 4 + new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  if (end > bytes.byteLength) throw new FrameError(`expected a header of ${end - 4} bytes, got a frame of ${bytes.byteLength}`);
  const header = parseHeader(utf8(bytes.subarray(4, end)));
  return { header, buffers: split(bytes.subarray(end), header.buffers) };
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FrameError("expected a header in UTF-8");
  }
}

function parseHeader(text: string): Header {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw new FrameError(`expected a JSON object: ${(error as Error).message}`);
  }
  if (!isObject(header) || typeof header.type !== "string") throw new FrameError('expected a JSON object with a string "type"');
  return header as Header;
}

function split(bytes: Uint8Array, lengths: unknown): Uint8Array[] {
  const valid = Array.isArray(lengths) && lengths.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!valid) throw new FrameError('expected "buffers" to be a list of lengths in bytes');
  const total = (lengths as number[]).reduce((sum, n) => sum + n, 0);
  if (total !== bytes.byteLength) throw new FrameError(`expected ${total} bytes of buffers, got ${bytes.byteLength}`);
  let start = 0;
  return (lengths as number[]).map((length) => bytes.subarray(start, (start += length)));
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// -- records: the same JSON over HTTP and on the pane's socket --------------------------------------------------------

/** Where the bytes of one MIME type are. */
export interface DataRef {
  sha256: string;
  /** In bytes. */
  size: number;
  /** Capability URL, relative to the pane. */
  url: string;
}

export interface Source {
  file?: string | null;
  line?: number | null;
  cell?: string | number | null;
  code?: string | null;
  argv?: string[] | null;
  cwd?: string | null;
  git?: { commit?: string | null; branch?: string | null; dirty?: boolean | null } | null;
  /** Library → version. */
  versions?: Record<string, string> | null;
  /** Of a cluster: what made it. */
  task?: { name?: string; id?: string; worker?: string } | null;
  /** That of its session. */
  place?: Place | null;
}

/** Where a session stands among those that were launched with it. */
export interface Place {
  /** What launched them. */
  system?: string;
  rank?: number;
  ranks?: number;
  /** Id of a batch system's job, with its step. */
  job?: string;
  /** Its name among the workers of a cluster or a pool. */
  worker?: string;
}

/** Where an output stands in the run of a script. */
export interface Standing {
  number: number;
  script: string;
  /** The same for what one call site shows in all runs. */
  stack: string;
  /** Id of the output before it in the stack. */
  previous: number | null;
  /** Whether it differs from that one; `null` while that is not known. */
  changed: boolean | null;
}

/** The matplotlib figure that a version shows. */
export interface FigureInfo {
  id: string;
  keeper: string;
  /** Width and height in pixels at its own size and dpi. */
  size: [number, number];
  dpi: number;
  /** Whether it has matplotlib's default size, and so may fill the stage. */
  default_size: boolean;
  /** What it says in words, once it was drawn. */
  description?: string;
  /** How long drawing it took. */
  seconds?: number;
  /** Whether it could not be drawn. */
  failed?: boolean;
}

/** One thing shown, in its newest version. */
export interface OutputRecord {
  id: number;
  display_id: string;
  session: string;
  project: string;
  title: string | null;
  mimetypes: string[];
  created: string;
  updated: string;
  version: number;
  size: number;
  source: Source;
  pinned: boolean;
  note: string | null;
  removed: string | null;
  private: boolean;
  event: number;
  metadata: Record<string, unknown>;
  problems: string[];
  figure?: FigureInfo | null;
  /** How long drawing it took, in seconds. */
  seconds?: number | null;
  run?: Standing | null;
  data: Record<string, DataRef>;
}

/** One version of an output. */
export interface VersionRecord {
  version: number;
  created: string;
  size: number;
  mimetypes: string[];
  data: Record<string, DataRef>;
  figure?: FigureInfo | null;
}

/** What is left of an output that was removed for good. */
export interface Tombstone {
  id: number;
  purged: true;
  event: number;
}

export interface SessionRecord {
  id: string;
  project: string;
  title: string;
  name: string | null;
  kind: string;
  host: string;
  pid: number;
  python?: string;
  started: string;
  ended: string | null;
  connected: boolean;
  /** Whether it ended without a word, as a process that is killed does. */
  lost?: boolean;
  private: boolean;
  place?: Place | null;
  event: number;
  outputs: number;
}

/** One execution of a script. */
export interface RunRecord {
  /** That of its session. */
  id: string;
  project: string;
  script: string;
  number: number;
  argv: string[];
  started: string;
  ended: string | null;
  connected: boolean;
  /** How many outputs it has, how many of them changed, and how many have none before them. */
  outputs: number;
  changed: number;
  new: number;
}

/** What became of the output of one call site from one run to another; the ids of both. */
export interface StackChange {
  stack: string;
  before: number | null;
  after: number | null;
  /** `unknown`: one of them is not drawn yet. */
  status: "same" | "changed" | "new" | "gone" | "unknown";
}

/** Two runs, and the outputs of the later one. */
export interface RunChanges {
  run: RunRecord;
  /** `null` when there is none to compare with. */
  before: RunRecord | null;
  stacks: StackChange[];
  outputs: OutputRecord[];
}

/** What changed after an event, in order; state, not a log. */
export interface Changed {
  event: number;
  outputs: (OutputRecord | Tombstone)[];
  sessions: SessionRecord[];
  /** Whether the hub's store was begun anew, so that everything known is void. */
  reset?: boolean;
}
