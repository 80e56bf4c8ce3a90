/**
 * Comms: what the widgets of a frame and their session say to each other. One relay for each frame, with a port to the
 * frame and a socket of its own to the hub, which keeps what there is to know: a pane that comes, or comes back, hears
 * everything anew. `ipyweb/comms.py` says how messages look.
 *
 * A frame speaks to its own session only, since the socket is of that one, and whose the session is, is said here.
 */
import { delay } from "./connection.ts";
import { randomHex } from "./hello.ts";
import { decode, encode, FrameError, isObject, MAX_FRAME, PROTOCOL, type Header, type Message } from "./protocol.ts";
import { Bucket } from "./sandbox.ts";
import { sockets, type Open, type Socket } from "./sockets.ts";

/** What travels between a frame and its relay. */
export interface Packet {
  header: Header;
  buffers: ArrayBuffer[];
}

/** A frame's line to the comms of one session. */
export interface Link {
  /** The frame's end. */
  port: MessagePort;
  /** Say whether somebody looks at the frame. */
  watch(on: boolean): void;
  end(): void;
}

export interface CommsOptions {
  /** Address of the socket. */
  url: string;
  /** The token, once the hub has passed the challenge; `null` when it does not know it. Rejects when nothing answers. */
  admit(): Promise<string | null>;
  /** Whether a session has ended, as far as the pane knows. */
  isOver(session: string): boolean;
  /** Whether the pane may say something; the hub takes nothing from those who may not. */
  speaks?(): boolean;
  /** Opens a socket. */
  open?: Open;
}

/** Bytes of the longest message. */
export const MAX_MESSAGE = 64 * 2 ** 20;
const PIECE = MAX_FRAME - 1024;
/** Messages per second that a frame may send, and how many at once. */
const RATE = 500;
const BURST = 2000;
/** Long texts kept for frames to come: bytes, and how many. */
const KEPT_BYTES = 64 * 2 ** 20;
const KEPT = 500;
/** Texts that a relay may name as known. */
const MOST_NAMED = 1000;

/** All relays of the pane, and the long texts that they share. */
export class Comms {
  readonly #options: CommsOptions;
  readonly #texts = new Texts(KEPT_BYTES, KEPT);

  constructor(options: CommsOptions) {
    this.#options = options;
  }

  /** A line to the comms of a session. @param speaks whether the frame may say something, if the pane may */
  follow(session: string, speaks = true): Link {
    const { port1, port2 } = new MessageChannel();
    const relay = new Relay(session, port1, this.#texts, speaks ? this.#options : { ...this.#options, speaks: () => false });
    return { port: port2, watch: (on) => relay.watch(on), end: () => relay.end() };
  }
}

/** Long texts by SHA-256, those used last, within bounds. */
export class Texts {
  readonly #texts = new Map<string, Uint8Array>();
  readonly #most: number;
  readonly #count: number;
  #bytes = 0;

  constructor(most: number, count: number) {
    this.#most = most;
    this.#count = count;
  }

  get all(): ReadonlyMap<string, Uint8Array> {
    return this.#texts;
  }

  keep(name: string, text: Uint8Array): void {
    this.#drop(name);
    this.#texts.set(name, text);
    this.#bytes += text.byteLength;
    for (const old of this.#texts.keys()) {
      if (this.#bytes <= this.#most && this.#texts.size <= this.#count) return;
      this.#drop(old);
    }
  }

  #drop(name: string): void {
    this.#bytes -= this.#texts.get(name)?.byteLength ?? 0;
    this.#texts.delete(name);
  }
}

type Port = Pick<MessagePort, "postMessage" | "close" | "onmessage">;

/** Between one frame's port and one socket of the hub. */
export class Relay {
  readonly #session: string;
  readonly #port: Port;
  readonly #shared: Texts;
  readonly #options: CommsOptions;
  /** Makes the numbers of this frame's messages unlike those of any other. */
  readonly #prefix = `${randomHex(8)}.`;
  readonly #bucket = new Bucket(RATE, BURST);
  /** Texts that the hub will not send again, and the frame may yet need. */
  #texts = new Map<string, Uint8Array>();
  /** Texts that the frame has. */
  readonly #given = new Set<string>();
  #joiner = new Joiner();
  #socket: Socket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #ended = false;
  /** The model that the frame shows, whether somebody looks at it, and what the hub has been told of that. */
  #view: string | null = null;
  #looked = false;
  #watched: string | null = null;
  readonly #onVisibility = (): void => this.#sayWatched();
  /** What the hub may say. */
  readonly #heard: Partial<Record<string, (header: Header, buffers: Uint8Array[]) => void>> = {
    welcome: () => this.#welcomed(),
    text: (header, buffers) => this.#text(header, buffers),
    module: (header) => this.#named(header),
    asset: (header) => this.#named(header),
    comm_open: (header, buffers) => this.#comm(header, buffers),
    comm_msg: (header, buffers) => this.#comm(header, buffers),
    comm_close: (header) => this.#tell(header),
    status: (header) => this.#status(header),
    reset: (header) => this.#tell(header),
    live: (header) => this.#live(header),
    ended: (header) => this.#over(header),
  };

  constructor(session: string, port: Port, shared: Texts, options: CommsOptions) {
    this.#session = session;
    this.#port = port;
    this.#shared = shared;
    this.#options = options;
    port.onmessage = ({ data }: MessageEvent<unknown>) => this.#said(data);
    document.addEventListener("visibilitychange", this.#onVisibility);
    void this.#connect();
  }

  watch(on: boolean): void {
    this.#looked = on;
    this.#sayWatched();
  }

  end(): void {
    this.#ended = true;
    document.removeEventListener("visibilitychange", this.#onVisibility);
    clearTimeout(this.#timer);
    this.#leave();
    this.#port.close();
  }

  // -- the hub --------------------------------------------------------------------------------------------------------

  async #connect(): Promise<void> {
    this.#timer = undefined;
    try {
      const token = await this.#options.admit();
      if (this.#ended) return;
      if (token !== null) this.#open(token);
      else this.#live({ type: "live", live: false });
    } catch {
      this.#retry();
    }
  }

  #open(token: string): void {
    const { open = sockets.open } = this.#options;
    const socket = open(this.#options.url, token);
    this.#socket = socket;
    this.#joiner = new Joiner();
    socket.onopen = () => socket.send(encode({ type: "follow", protocol: PROTOCOL, session: this.#session, has: this.#known() }) as string);
    socket.onmessage = ({ data }) => this.#receive(socket, data);
    socket.onclose = () => this.#closed(socket);
  }

  #welcomed(): void {
    this.#attempt = 0;
    this.#watched = null;
    this.#sayWatched();
  }

  /** Tell the hub which model somebody looks at, if that has changed. */
  #sayWatched(): void {
    const watched = this.#looked && !document.hidden ? this.#view : null;
    if (watched === this.#watched || this.#socket?.readyState !== 1) return;
    this.#watched = watched;
    this.#socket.send(encode({ type: "watch", comm_id: watched }) as string);
  }

  /** The texts that the hub need not send. */
  #known(): string[] {
    this.#texts = new Map([...this.#shared.all, ...this.#texts]);
    for (const name of this.#given) this.#texts.delete(name);
    return [...this.#given, ...this.#texts.keys()].slice(-MOST_NAMED);
  }

  #closed(socket: Socket): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    this.#tell({ type: "live", live: false });
    this.#retry();
  }

  #retry(): void {
    if (!this.#ended) this.#timer = setTimeout(() => void this.#connect(), delay(this.#attempt++));
  }

  #receive(socket: Socket, frame: string | ArrayBuffer): void {
    try {
      const message = this.#joiner.take(frame);
      if (message && socket === this.#socket) this.#hear(message);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      socket.close();
    }
  }

  #hear({ header, buffers }: Message): void {
    this.#heard[header.type]?.(header, buffers);
  }

  #text({ sha256 }: Header, [text]: Uint8Array[]): void {
    if (typeof sha256 !== "string" || !text) return;
    this.#shared.keep(sha256, text);
    this.#texts.set(sha256, text);
  }

  #named(header: Header): void {
    this.#give([header.sha256]);
    this.#tell(header);
  }

  #comm(header: Header, buffers: Uint8Array[]): void {
    this.#give(isObject(header.texts) ? Object.values(header.texts) : []);
    this.#tell({ ...header, parent: this.#own(header.parent) }, buffers);
  }

  #status(header: Header): void {
    const parent = this.#own(header.parent);
    if (parent !== null) this.#tell({ ...header, parent });
  }

  /** A session that is not there may be over for long: then the hub knows no more than that. */
  #live(header: Header): void {
    this.#tell(this.#speaks ? header : { ...header, speaks: false });
    if (header.live === false && this.#options.isOver(this.#session)) this.#tell({ type: "ended" });
  }

  /** The session is over: there is nothing more to hear. */
  #over(header: Header): void {
    this.#leave();
    this.#tell(header);
  }

  #leave(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  /** The number that the frame itself gave to a message, if it is one of its own. */
  #own(parent: unknown): string | null {
    return typeof parent === "string" && parent.startsWith(this.#prefix) ? parent.slice(this.#prefix.length) : null;
  }

  // -- the frame ------------------------------------------------------------------------------------------------------

  /** Gives the frame texts before what refers to them. */
  #give(names: readonly unknown[]): void {
    for (const name of names as string[]) {
      const text = this.#texts.get(name);
      if (!text) continue;
      this.#given.add(name);
      this.#texts.delete(name);
      this.#tell({ type: "text", sha256: name }, [text]);
    }
  }

  /** Each buffer becomes one of the frame's own: libraries take all of what a view is of. */
  #tell(header: Header, buffers: readonly Uint8Array[] = []): void {
    const own = buffers.map((each) => each.slice().buffer as ArrayBuffer);
    this.#port.postMessage({ header, buffers: own } satisfies Packet, own);
  }

  #said(data: unknown): void {
    if (this.#ended) return;
    if (!this.#bucket.take()) return this.#refuse("it sent more messages than the pane takes");
    const message = spoken(data);
    if (message?.header.type === "view") return this.#views(message.header);
    if (!message || this.#socket?.readyState !== 1) return;
    const frames = this.#speaks && framesOf({ ...message, header: { ...message.header, msg_id: this.#prefix + String(message.header.msg_id) } });
    if (!frames) return this.#tell({ type: "status", parent: message.header.msg_id, execution_state: "idle" });
    if (this.#socket.bufferedAmount > MAX_MESSAGE) return this.#refuse("it sent more than the hub takes");
    for (const frame of frames) this.#socket.send(frame);
  }

  get #speaks(): boolean {
    return this.#options.speaks?.() !== false;
  }

  #views({ comm_id }: Header): void {
    this.#view = comm_id as string;
    this.#sayWatched();
  }

  #refuse(reason: string): void {
    this.#tell({ type: "refused", reason });
    this.end();
  }
}

// -- what a frame may say ---------------------------------------------------------------------------------------------

const LONGEST_NAME = 256;
const isName = (value: unknown): boolean => typeof value === "string" && value.length > 0 && value.length <= LONGEST_NAME;
const isOptional = (value: unknown): boolean => value === undefined || isObject(value);

const COMMON = { comm_id: isName, msg_id: isName, data: isObject, metadata: isOptional };
const SPOKEN: Record<string, Record<string, (value: unknown) => boolean>> = {
  comm_open: { ...COMMON, target_name: isName },
  comm_msg: COMMON,
  comm_close: COMMON,
  view: { comm_id: isName },
};

/** A message, if it is one that a frame may send; only its known fields. */
export function spoken(packet: unknown): Message | null {
  if (!isObject(packet) || !isObject(packet.header) || !Array.isArray(packet.buffers)) return null;
  const { header, buffers } = packet;
  const fields = typeof header.type === "string" && Object.hasOwn(SPOKEN, header.type) ? Object.entries(SPOKEN[header.type]!) : null;
  const parts = buffers.map(bytesOf);
  if (!fields?.every(([name, valid]) => valid(header[name])) || parts.includes(null)) return null;
  const known = fields.map(([name]) => [name, header[name]] as const);
  return { header: Object.fromEntries([["type", header.type], ...known]) as unknown as Header, buffers: parts as Uint8Array[] };
}

function bytesOf(buffer: unknown): Uint8Array | null {
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer);
  return ArrayBuffer.isView(buffer) ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength) : null;
}

// -- long messages ----------------------------------------------------------------------------------------------------

/** A message as one frame, or as several where it is too long for one; nothing of what is no JSON, or too long at all. */
export function framesOf({ header, buffers }: Message): (string | Uint8Array)[] | null {
  let whole: string | Uint8Array;
  try {
    whole = encode(header, buffers);
  } catch {
    return null; // what a frame sends may contain itself
  }
  if (whole.length * (typeof whole === "string" ? 3 : 1) <= PIECE) return [whole];
  const bytes = typeof whole === "string" ? new TextEncoder().encode(whole) : whole;
  if (bytes.byteLength > MAX_MESSAGE) return null;
  const count = Math.ceil(bytes.byteLength / PIECE);
  const piece = (_: unknown, n: number) =>
    encode({ type: "piece", last: n === count - 1, binary: typeof whole !== "string" }, [bytes.subarray(n * PIECE, (n + 1) * PIECE)]);
  return Array.from({ length: count }, piece);
}

/** Puts messages together again that came in several frames. */
export class Joiner {
  #pieces: Uint8Array[] = [];
  #size = 0;

  /** The message that a frame is or completes; nothing when more is to come. @throws {FrameError} when it is malformed */
  take(frame: string | ArrayBuffer | Uint8Array): Message | null {
    const { header, buffers } = decode(frame);
    if (header.type !== "piece") return { header, buffers };
    this.#pieces.push(...buffers);
    this.#size += buffers.reduce((sum, each) => sum + each.byteLength, 0);
    if (this.#size > MAX_MESSAGE) throw new FrameError(`expected a message of at most ${MAX_MESSAGE} bytes`);
    if (!header.last) return null;
    const whole = this.#join();
    return decode(header.binary ? whole : new TextDecoder().decode(whole));
  }

  #join(): Uint8Array {
    const whole = new Uint8Array(this.#size);
    let end = 0;
    for (const each of this.#pieces) {
      whole.set(each, end);
      end += each.byteLength;
    }
    [this.#pieces, this.#size] = [[], 0];
    return whole;
  }
}
