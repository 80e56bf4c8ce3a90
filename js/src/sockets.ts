/**
 * Opens the pane's sockets: WebSockets, and where a proxy lets none pass, what stands for them over plain HTTP.
 *
 * Whether that is so, the first one tells that cannot be opened while the hub answers otherwise; it holds as long as the
 * page is there.
 */
import { Line } from "./polling.ts";

/** What the pane uses of a WebSocket. Frames come as text or as an `ArrayBuffer`. */
export interface Socket {
  readonly readyState: number;
  /** Bytes that wait to be sent. */
  readonly bufferedAmount: number;
  onopen: (() => void) | null;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null;
  onclose: ((event: { reason: string }) => void) | null;
  send(frame: string | Uint8Array): void;
  close(): void;
}

/** Opens a socket at an address, with a token. */
export type Open = (url: string, token: string) => Socket;

export interface SocketsOptions {
  webSocket?(url: string, protocols: string[]): WebSocket;
  line?(base: string, token: string): Line;
}

/** Milliseconds after which a WebSocket that neither opens nor fails is taken for one that a proxy swallowed. */
const PATIENCE = 8000;

/** What is known of the way to the hub. */
type Way = "unknown" | "websocket" | "polling";

export class Sockets {
  readonly #webSocket: (url: string, protocols: string[]) => WebSocket;
  readonly #newLine: (base: string, token: string) => Line;
  #way: Way = "unknown";
  #line: Line | undefined;

  constructor({ webSocket, line }: SocketsOptions = {}) {
    this.#webSocket = webSocket ?? ((url, protocols) => new WebSocket(url, protocols));
    this.#newLine = line ?? ((base, token) => new Line(base, token));
  }

  readonly open: Open = (url, token) => {
    const socket = new Either((way) => (this.#way = way));
    if (this.#way === "polling") socket.carry(this.#channel(url, token), "polling");
    else this.#try(socket, url, token);
    return socket;
  };

  #try(socket: Either, url: string, token: string): void {
    const ws = this.#webSocket(url, ["ipyweb", `ipyweb.token.${token}`]);
    ws.binaryType = "arraybuffer";
    socket.carry(ws as unknown as Socket, "websocket");
    if (this.#way === "websocket") return;
    socket.instead = () => {
      clearTimeout(timer);
      if (this.#way === "websocket") return false;
      socket.carry(this.#channel(url, token), "polling");
      return true;
    };
    const timer = setTimeout(() => socket.goOn() && ws.close(), PATIENCE);
  }

  #channel(url: string, token: string): Socket {
    const [, base, path] = /^ws(.*\/)(ws\/.*)$/.exec(url)!;
    if (!this.#line || this.#line.isOver || this.#line.token !== token) this.#line = this.#newLine(`http${base}`, token);
    return this.#line.open(path!);
  }
}

/** A socket over one carrier, or over another where the first never opens. */
class Either implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null;
  onclose: ((event: { reason: string }) => void) | null = null;
  /** Puts something else in the place of a carrier that never opened; false where there is nothing. */
  instead: (() => boolean) | null = null;
  readonly #learned: (way: Way) => void;
  #carrier!: Socket;
  #left = false;

  constructor(learned: (way: Way) => void) {
    this.#learned = learned;
  }

  get readyState(): number {
    return this.#left ? 3 : this.#carrier.readyState;
  }

  get bufferedAmount(): number {
    return this.#carrier.bufferedAmount;
  }

  carry(carrier: Socket, way: Way): void {
    const isOurs = (): boolean => carrier === this.#carrier;
    this.#carrier = carrier;
    carrier.onopen = () => {
      if (!isOurs()) return;
      this.instead = null;
      this.#learned(way);
      this.onopen?.();
    };
    carrier.onmessage = ({ data }) => {
      if (isOurs()) this.onmessage?.({ data });
    };
    carrier.onclose = ({ reason }) => {
      if (isOurs() && !this.goOn()) this.onclose?.({ reason });
    };
  }

  /** Whether it goes on with something else. */
  goOn(): boolean {
    const { instead } = this;
    this.instead = null;
    return !this.#left && instead !== null && instead();
  }

  send(frame: string | Uint8Array): void {
    this.#carrier.send(frame);
  }

  close(): void {
    this.#left = true;
    this.#carrier.close();
  }
}

/** The page's own. */
export const sockets = new Sockets();
