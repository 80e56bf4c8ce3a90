/**
 * Sockets over plain HTTP: one request waits for what the hub has to say, others bring what the pane says. All sockets of
 * the page share one line; `ipyweb/hub/polling.py` has the format of its records.
 *
 * A request that fails on the way is made again: both sides count records, so that none is lost and none comes twice.
 */
import type { Socket } from "./sockets.ts";

/** Seconds that a request waits at the hub. */
const WAIT = 20;
/** Times that a request is made before the line is given up. */
const TRIES = 5;
/** Milliseconds before the second time; twice as many before each further one. */
const PAUSE = 250;
/** Milliseconds for an answer, besides those for which a request waits. */
const PATIENCE = 15_000;
/** Bytes of the records of one request. */
const MOST = 2 ** 20 - 4096;
/** What proxies answer when they fail, and a hub that is too busy. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

const HEAD = 9;
const [OPEN, TEXT, BINARY, CLOSE] = [..."otbc"].map((each) => each.charCodeAt(0)) as [number, number, number, number];

/** Channel, kind and payload. */
export type LineRecord = readonly [channel: number, kind: number, payload: Uint8Array];

export function pack([channel, kind, payload]: LineRecord): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEAD + payload.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, channel);
  view.setUint8(4, kind);
  view.setUint32(5, payload.byteLength);
  bytes.set(payload, HEAD);
  return bytes;
}

/** The records of an answer. @throws when they do not end with it */
export function unpack(body: ArrayBuffer): LineRecord[] {
  const view = new DataView(body);
  const found: LineRecord[] = [];
  for (let at = 0; at < body.byteLength; ) {
    const length = view.getUint32(at + 5);
    found.push([view.getUint32(at), view.getUint8(at + 4), new Uint8Array(body, at + HEAD, length)]);
    at += HEAD + length;
  }
  return found;
}

/** One socket of a line. */
export class Channel implements Socket {
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null;
  onclose: ((event: { reason: string }) => void) | null = null;
  readonly #line: Line;
  readonly #number: number;

  constructor(line: Line, number: number) {
    this.#line = line;
    this.#number = number;
  }

  get bufferedAmount(): number {
    return this.#line.waiting;
  }

  send(frame: string | Uint8Array): void {
    if (this.readyState !== 1) return;
    const text = typeof frame === "string";
    this.#line.say([this.#number, text ? TEXT : BINARY, text ? new TextEncoder().encode(frame) : frame]);
  }

  close(): void {
    if (this.readyState === 3) return;
    this.#line.leave(this.#number);
    this.#end("");
  }

  hear(kind: number, payload: Uint8Array): void {
    if (this.readyState === 3) return;
    if (kind === OPEN) {
      this.readyState = 1;
      this.onopen?.();
    } else if (kind === CLOSE) this.lose((JSON.parse(new TextDecoder().decode(payload)) as { reason: string }).reason);
    else this.onmessage?.({ data: kind === TEXT ? new TextDecoder().decode(payload) : (payload.slice().buffer as ArrayBuffer) });
  }

  /** It has ended at the other side. */
  lose(reason: string): void {
    if (this.readyState !== 3) this.#end(reason);
  }

  /** As of a WebSocket, what listens is told later. */
  #end(reason: string): void {
    this.readyState = 3;
    queueMicrotask(() => this.onclose?.({ reason }));
  }
}

/** The line of a page. */
export class Line {
  readonly token: string;
  isOver = false;
  readonly #base: string;
  readonly #fetch: typeof fetch;
  readonly #channels = new Map<number, Channel>();
  readonly #end = new AbortController();
  readonly #outgoing: Uint8Array<ArrayBuffer>[] = [];
  readonly #leavePage = (): void => this.#lose(true);
  /** Where its records are, once the hub has opened it. */
  #address: Promise<string> | undefined;
  #number = 0;
  #said = 0;
  #heard = 0;
  #saying = false;
  #wait = WAIT;
  /** Bytes that wait to be sent. */
  waiting = 0;

  /** @param base where the hub's routes begin */
  constructor(base: string, token: string, fetcher: typeof fetch = (...all) => fetch(...all)) {
    this.#base = base;
    this.token = token;
    this.#fetch = fetcher;
  }

  /** Open a channel that stands for the socket at a path. */
  open(path: string): Channel {
    const channel = new Channel(this, ++this.#number);
    this.#channels.set(this.#number, channel);
    this.say([this.#number, OPEN, new TextEncoder().encode(path)]);
    this.#address ??= this.#begin();
    return channel;
  }

  say(record: LineRecord): void {
    const packed = pack(record);
    this.#outgoing.push(packed);
    this.waiting += packed.byteLength;
    if (!this.#saying && !this.isOver) void this.#speak();
  }

  leave(channel: number): void {
    this.#channels.delete(channel);
    if (this.#channels.size === 0) this.#close();
    else this.say([channel, CLOSE, new Uint8Array()]);
  }

  async #begin(): Promise<string> {
    const body = await this.#request(() => ["poll", { method: "POST" }], 1);
    const { line } = JSON.parse(new TextDecoder().decode(body)) as { line: string };
    globalThis.addEventListener?.("pagehide", this.#leavePage);
    void this.#listen();
    return `poll/${line}`;
  }

  async #speak(): Promise<void> {
    this.#saying = true;
    try {
      await Promise.resolve(); // what is said at once goes together
      const address = await this.#address!;
      while (this.#outgoing.length > 0 && !this.isOver) {
        const batch = this.#batch();
        const body = new Blob(batch);
        await this.#request(() => [`${address}?first=${this.#said}`, { method: "POST", body }], TRIES);
        this.#said += batch.length;
        this.#outgoing.splice(0, batch.length);
        this.waiting -= body.size;
      }
    } catch {
      this.#lose();
    } finally {
      this.#saying = false;
    }
  }

  /** As many records as one request may have, at least one. */
  #batch(): Uint8Array<ArrayBuffer>[] {
    let bytes = 0;
    const end = this.#outgoing.findIndex((each, at) => (bytes += each.byteLength) > MOST && at > 0);
    return this.#outgoing.slice(0, end < 0 ? undefined : end);
  }

  async #listen(): Promise<void> {
    try {
      const address = await this.#address!;
      while (!this.isOver) {
        const body = await this.#request(() => [`${address}?after=${this.#heard}&seconds=${this.#wait}`, {}], TRIES, () => {
          this.#wait = Math.max(1, Math.floor(this.#wait / 2)); // a proxy has perhaps less patience
        });
        for (const [channel, kind, payload] of unpack(body)) {
          this.#heard++;
          this.#channels.get(channel)?.hear(kind, payload);
          if (kind === CLOSE) this.#channels.delete(channel);
        }
        if (this.#channels.size === 0) this.#close();
      }
    } catch {
      this.#lose();
    }
  }

  /** The answer to a request, made anew as long as it is the way that fails. @throws when the hub refuses, or nothing helps */
  async #request(make: () => [path: string, init: RequestInit], tries: number, failed = () => {}): Promise<ArrayBuffer> {
    for (let n = 1; ; n++) {
      const [path, init] = make();
      const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(this.#wait * 1000 + PATIENCE)]);
      const headers = { "X-Ipyweb-Token": this.token, "Content-Type": "application/octet-stream" };
      const answer = await this.#ask(new URL(path, this.#base), { ...init, headers, cache: "no-store", signal });
      if (typeof answer === "object") return answer;
      if (this.isOver || n >= tries || !PASSING.has(answer)) throw new Error("the line is over");
      failed();
      await new Promise((resolve) => setTimeout(resolve, PAUSE * 2 ** (n - 1)));
    }
  }

  /** The body of an answer, or the status of one that is no success; that of a gateway where none came, or half of it. */
  async #ask(url: URL, init: RequestInit): Promise<ArrayBuffer | number> {
    try {
      const response = await this.#fetch(url, init);
      return response.ok ? await response.arrayBuffer() : response.status;
    } catch {
      return 502;
    }
  }

  #lose(keepalive = false): void {
    const channels = [...this.#channels.values()];
    this.#close(keepalive);
    for (const each of channels) each.lose("");
  }

  /** Be over, and let the hub know, even while the page goes. */
  #close(keepalive = false): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#end.abort();
    this.#channels.clear();
    globalThis.removeEventListener?.("pagehide", this.#leavePage);
    const headers = { "X-Ipyweb-Token": this.token };
    const tell = (address: string) => this.#fetch(new URL(address, this.#base), { method: "DELETE", headers, keepalive });
    void this.#address?.then(tell).catch(() => {});
  }
}
