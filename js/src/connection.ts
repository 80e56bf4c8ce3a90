/**
 * The pane's socket: subscribe, resume after the last event seen, reconnect for ever.
 *
 * Before each connection the hub must pass the challenge, since whatever listens on its port after a restart could be
 * somebody else.
 */
import { decode, encode, type Changed } from "./protocol.ts";
import { sockets, type Open, type Socket } from "./sockets.ts";

export type Status = "connecting" | "connected" | "reconnecting" | "refused";

export interface ConnectionOptions {
  url: string;
  token: string;
  /** Resolves to whether the hub still knows our token; rejects when nothing answers. */
  verify(): Promise<boolean>;
  /** The last event already known, from which the hub goes on. Resolves when the pane is ready for what changed. */
  since(): Promise<number>;
  changed(changed: Changed): void;
  notice(message: string): void;
  status(status: Status): void;
  /** Opens a socket. */
  open?: Open;
}

const SHORTEST = 200;
const LONGEST = 10_000;

/** Milliseconds to wait before attempt number `attempt` (from 0): doubling from 0.2 to 10 s, half of it at random. */
export function delay(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST, SHORTEST * 2 ** attempt);
  return full / 2 + (full / 2) * random();
}

export class Connection {
  readonly #options: ConnectionOptions;
  #socket: Socket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #ended = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Connect, without another challenge: the caller has just made one. */
  start(): void {
    this.#options.status("connecting");
    this.#open();
  }

  /** Say that somebody looks, or try at once instead of waiting; used when the network or the tab comes back. */
  hurry(): void {
    if (this.#timer === undefined) return this.#look();
    this.#attempt = 0;
    this.#retryAfter(0);
  }

  /** Drop a connection that may be dead without knowing it. */
  renew(): void {
    this.#socket?.close();
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #open(): void {
    const { url, token } = this.#options;
    const { open = sockets.open } = this.#options;
    const socket = open(url, token);
    this.#socket = socket;
    socket.onopen = () => void this.#subscribe(socket);
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = () => this.#closed(socket);
  }

  async #subscribe(socket: Socket): Promise<void> {
    try {
      const since = await this.#options.since();
      if (socket.readyState !== 1) return;
      socket.send(encode({ type: "subscribe", since }) as string);
      this.#attempt = 0;
      this.#options.status("connected");
    } catch {
      socket.close();
    }
  }

  /** Of very many panes the hub tells those first that were looked at last. */
  #look(): void {
    if (this.#socket?.readyState === 1) this.#socket.send(encode({ type: "look" }) as string);
  }

  #receive(frame: string | ArrayBuffer): void {
    const { header } = decode(frame);
    if (header.type === "changed") this.#options.changed(header as unknown as Changed);
    if (header.type === "notice") this.#options.notice(String(header.message));
  }

  #closed(socket: Socket): void {
    if (this.#ended || socket !== this.#socket) return;
    this.#socket = undefined;
    this.#options.status("reconnecting");
    this.#retryAfter(delay(this.#attempt++));
  }

  #retryAfter(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#retry(), milliseconds);
  }

  async #retry(): Promise<void> {
    this.#timer = undefined;
    try {
      const known = await this.#options.verify();
      if (this.#ended) return;
      if (known) this.#open();
      else this.#options.status("refused");
    } catch {
      if (!this.#ended) this.#retryAfter(delay(this.#attempt++));
    }
  }
}
