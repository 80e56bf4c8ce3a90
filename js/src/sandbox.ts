/**
 * The shell's side of a frame: an iframe with an opaque origin that draws one output, and the port to it.
 *
 * The hub serves the frame document with `Content-Security-Policy: sandbox`, so the origin is opaque even where
 * somebody opens its address directly. On a loopback host every frame has a host name of its own and therefore a process
 * of its own: an output that spins stops nothing but itself. WebKit has one process for all of a tab's frames.
 */
import type { Link } from "./comms.ts";
import type { Wanted } from "./companions.ts";
import { HELLO, parseFromFrame, PORT, type FromFrame, type LibraryBytes, type Theme, type ToFrame } from "./frame/channel.ts";
import { randomHex } from "./hello.ts";
import { LIBRARIES, type LibraryName } from "./libraries.ts";
import { isPublic, MOST_HOSTS } from "./network.svelte.ts";
import { isObject } from "./protocol.ts";

/** Milliseconds for a frame to answer before its own host name is taken for one that does not resolve. */
const ANSWER_WITHIN = 3000;
const PING_EVERY = 2000;
/** Milliseconds without an answer after which an output is said to be stuck. */
const STUCK_AFTER = 5000;
/** Messages per second that a frame may send, and how many at once. */
const RATE = 100;
const BURST = 300;
/** Lines that an output may say about what was left out. */
const NOTICES = 20;

const SANDBOX = "allow-scripts allow-downloads allow-forms allow-modals allow-pointer-lock";

/** What a frame tells whoever shows it. */
export interface FrameEvents {
  message(message: FromFrame): void;
  /** Whether it does not answer. */
  stuck(stuck: boolean): void;
  /** It sent more than it may, and is cut off. */
  lost(reason: string): void;
}

export class Frame {
  readonly element: HTMLIFrameElement;
  /** Libraries loaded in it, or on their way, and the address of those that are the user's own. */
  readonly libraries = new Map<LibraryName, string | undefined>();
  /** Resolves when the frame has its port; rejects when it does not answer. */
  readonly answered: Promise<void>;
  events: FrameEvents | undefined;
  /** Lines that the output has said about what was left out, and hosts that it has asked for in vain. */
  readonly notices = new Set<string>();
  readonly asked = new Set<string>();

  readonly #nonce = randomHex(16);
  readonly #port: MessagePort;
  readonly #theirs: MessagePort;
  readonly #bucket = new Bucket(RATE, BURST);
  #ping: ReturnType<typeof setInterval> | undefined;
  #pinged = 0;
  /** Whether it does not answer. */
  stuck = false;
  #release: () => void = () => {};
  #link: Link | undefined;

  constructor(url: string, host: HTMLElement) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#theirs = port2;
    this.element = document.createElement("iframe");
    this.element.name = this.#nonce;
    this.element.title = "Output";
    this.element.setAttribute("sandbox", SANDBOX);
    this.element.referrerPolicy = "no-referrer";
    this.element.allow = "";
    this.element.src = url;
    this.answered = this.#shake();
    host.append(this.element);
  }

  send(message: ToFrame, transfer: Transferable[] = []): void {
    if (message.type === "render") for (const said of [this.notices, this.asked]) said.clear();
    this.#port.postMessage(message, transfer);
  }

  has({ name, url }: Wanted): boolean {
    return this.libraries.has(name) && this.libraries.get(name) === url;
  }

  load(library: LibraryBytes, url?: string): void {
    this.libraries.set(library.name, url);
    this.send({ type: "load", library });
  }

  /** Whether it speaks with a session, and so is for one output alone. */
  get linked(): boolean {
    return this.#link !== undefined;
  }

  /** Give it a line to the comms of its output's session, which ends with it. */
  link(make: () => Link): void {
    if (this.#link) return;
    this.#link = make();
    this.#link.watch(this.#ping !== undefined);
    this.send({ type: "comms", port: this.#link.port }, [this.#link.port]);
  }

  setTheme(theme: Theme): void {
    this.send({ type: "theme", theme });
  }

  /** Ask now and then whether it is alive, as long as somebody looks at it. */
  watch(on: boolean): void {
    clearInterval(this.#ping);
    this.#ping = undefined;
    this.#pinged = 0;
    if (on) this.#ping = setInterval(() => this.#check(), PING_EVERY);
    this.#link?.watch(on);
  }

  dispose(): void {
    this.watch(false);
    this.#release();
    this.#link?.end();
    this.#port.close();
    this.element.remove();
  }

  #shake(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => end(() => reject(new Error("the frame does not answer"))), ANSWER_WITHIN);
      const listen = ({ source, data }: MessageEvent<unknown>) => {
        if (source !== this.element.contentWindow || !isObject(data) || data.type !== HELLO || data.nonce !== this.#nonce) return;
        end(resolve);
        this.#port.onmessage = (event: MessageEvent<unknown>) => this.#receive(event.data);
        // The origin of a sandboxed frame is "null", so there is none to name; the nonce says whom we mean.
        this.element.contentWindow?.postMessage({ type: PORT, nonce: this.#nonce }, "*", [this.#theirs]);
      };
      const end = (then: () => void) => {
        clearTimeout(timer);
        this.#release();
        then();
      };
      addEventListener("message", listen);
      this.#release = () => {
        clearTimeout(timer);
        removeEventListener("message", listen);
      };
    });
  }

  #receive(data: unknown): void {
    if (!this.#bucket.take()) return this.#cutOff();
    this.#pinged = 0;
    if (this.stuck) this.#setStuck(false);
    const message = parseFromFrame(data);
    if (message?.type === "notice" && this.notices.size < NOTICES) this.notices.add(message.text);
    if (message?.type === "blocked" && this.asked.size < MOST_HOSTS && isPublic(message.host)) this.asked.add(message.host);
    if (message && message.type !== "pong") this.events?.message(message);
  }

  #cutOff(): void {
    this.dispose();
    this.events?.lost("it sent more messages than the pane takes");
  }

  #check(): void {
    const now = Date.now();
    if (document.hidden) this.#pinged = 0;
    else if (this.#pinged === 0) {
      this.#pinged = now;
      this.send({ type: "ping" });
    } else if (now - this.#pinged >= STUCK_AFTER && !this.stuck) this.#setStuck(true);
  }

  #setStuck(stuck: boolean): void {
    this.stuck = stuck;
    this.events?.stuck(stuck);
  }
}

/** A token bucket: `rate` a second on average, `burst` at once. */
export class Bucket {
  #tokens: number;
  #last: number;
  readonly #rate: number;
  readonly #burst: number;
  readonly #clock: () => number;

  constructor(rate: number, burst: number, clock: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#burst = burst;
    this.#clock = clock;
    this.#tokens = burst;
    this.#last = clock();
  }

  /** Whether one more is allowed now. */
  take(): boolean {
    const now = this.#clock();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#last) / 1000) * this.#rate);
    this.#last = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** Address of a new frame: on a host name of its own where that resolves to this machine, else beside the page. */
export function frameUrl(page: URL, path: string, ownHost: boolean): string {
  const url = new URL(path, page);
  url.hash = "";
  if (ownHost) url.hostname = `${randomHex(8)}.localhost`;
  return url.href;
}

/** The vendor that every browser made with WebKit names. */
const WEBKIT = "Apple Computer, Inc.";

/**
 * Whether `<label>.localhost` names the same hub: only when the page itself is at the root of a loopback address, and the
 * browser knows by itself where such names are. Safari asks a name server, which may send the frame anywhere; and what
 * is made with WebKit would give it no process of its own for that.
 */
export function mayOwnHost(page: URL, vendor = navigator.vendor): boolean {
  return vendor !== WEBKIT && page.protocol === "http:" && page.pathname === "/" && /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(page.hostname);
}

/**
 * Let no frame go to another host than the page's, beside what the hub's own policy says. Asking a name server for
 * `<secret>.localhost` would tell it the secret.
 */
function keepFramesHere(): void {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = "frame-src 'self'";
  document.head.append(policy);
}

/** Frames with a library that wait for the next output of their session. */
const USED = 2;

/**
 * Makes frames, keeps spare ones loaded, and remembers those last seen.
 *
 * A frame that moves in the document loses its content, except by `moveBefore`; where that is missing every frame is
 * made in its place, without a spare.
 */
export class Frames {
  readonly #parking: HTMLElement;
  readonly #page: URL;
  /** The keys that frames hand on. */
  chords: string[] = [];
  readonly #fetchLibrary: (wanted: Wanted) => Promise<ArrayBuffer>;
  readonly #libraries = new Map<string, Promise<ArrayBuffer>>();
  readonly #spares = new Map<string, Frame>();
  readonly #used: { frame: Frame; key: string }[] = [];
  #path = "";
  #ownHost: boolean;

  /**
   * @param parking where frames stay that nobody looks at
   * @param fetchLibrary the bytes of a library's script
   */
  constructor(parking: HTMLElement, page: URL, fetchLibrary: (wanted: Wanted) => Promise<ArrayBuffer>) {
    this.#parking = parking;
    this.#page = page;
    this.#fetchLibrary = fetchLibrary;
    this.#ownHost = mayOwnHost(page);
    if (!this.#ownHost) keepFramesHere();
  }

  /** The path of the frame document, from the hub's state. */
  set path(path: string) {
    if (path === this.#path) return;
    this.#path = path;
    for (const spare of this.#spares.values()) spare.dispose();
    this.#spares.clear();
  }

  /**
   * A frame out of sight that has its port and the libraries, as large as it will be seen; nothing where this browser
   * could not bring it back. It leaves the spare ones to what comes.
   */
  async aside(libraries: Wanted[], session: string, { width, height }: { width: number; height: number }): Promise<Frame | null> {
    if (!canMove(this.#parking)) return null;
    const frame = this.#takeUsed(this.#parking, libraries, session) ?? (await this.extra([]));
    if (!frame) return null;
    Object.assign(frame.element.style, { width: `${width}px`, height: `${height}px` });
    await Promise.all(libraries.map((each) => this.provide(frame, each)));
    return frame;
  }

  /**
   * A frame inside `host` that has its port and the libraries, or is about to load them.
   *
   * @param own where the frame's document is, if it is for one output alone: then it is new, and nothing else is drawn in it
   */
  async take(host: HTMLElement, libraries: Wanted[], session = "", own: string | null = null): Promise<Frame> {
    const frame = own === null ? (this.#takeUsed(host, libraries, session) ?? this.#takeSpare(host, libraries) ?? this.#make(host)) : this.#make(host, own);
    Object.assign(frame.element.style, { width: "", height: "", transform: "" });
    try {
      await frame.answered;
    } catch (error) {
      frame.dispose();
      if (!this.#ownHost) throw error;
      this.#ownHost = false;
      return this.take(host, libraries, session, own);
    }
    await Promise.all(libraries.map((each) => this.provide(frame, each)));
    return frame;
  }

  /** A frame out of sight, besides the spare ones, with the libraries on their way; nothing where there is none yet. */
  async extra(libraries: Wanted[]): Promise<Frame | null> {
    if (!this.#path) return null;
    const frame = this.#make(this.#parking);
    await frame.answered;
    await Promise.all(libraries.map((each) => this.provide(frame, each)));
    return frame;
  }

  /** Sends a library to a frame that lacks it. */
  async provide(frame: Frame, wanted: Wanted): Promise<void> {
    if (!frame.has(wanted)) frame.load({ name: wanted.name, bytes: await this.#library(wanted) }, wanted.url);
  }

  /**
   * Takes back a frame that nobody will return to. One with a heavy library, which ran nothing but that, draws the next
   * output of the same session: what one process has shown has nothing to hide from itself.
   */
  release(frame: Frame, libraries: Wanted[], session: string): void {
    if (libraries.length === 0 || frame.stuck || frame.linked) return frame.dispose();
    this.#used.unshift({ frame, key: usedKey(libraries, session) });
    for (const old of this.#used.splice(USED)) old.frame.dispose();
  }

  #takeUsed(host: HTMLElement, libraries: Wanted[], session: string): Frame | undefined {
    const at = this.#used.findIndex(({ key }) => key === usedKey(libraries, session));
    const used = this.#used[at];
    if (!used || !move(used.frame.element, host)) return undefined;
    this.#used.splice(at, 1);
    return used.frame;
  }

  /** Puts a frame out of sight, as large as it is and without losing what it shows. False where this browser cannot. */
  park(frame: Frame): boolean {
    const { clientWidth, clientHeight, style } = frame.element;
    Object.assign(style, { width: `${clientWidth}px`, height: `${clientHeight}px` });
    return move(frame.element, this.#parking);
  }

  /** Brings a parked frame back. */
  unpark(frame: Frame, host: HTMLElement): boolean {
    return move(frame.element, host);
  }

  /** Keep a spare frame that has `library` loaded, or a plain one. */
  async warm(library: Wanted | "plain"): Promise<void> {
    const key = library === "plain" ? library : keyOf(library);
    if (!this.#path || this.#spares.has(key) || !canMove(this.#parking)) return;
    const frame = this.#make(this.#parking);
    this.#spares.set(key, frame);
    try {
      await frame.answered;
      if (library !== "plain") await this.provide(frame, library);
    } catch {
      this.#spares.delete(key);
      frame.dispose();
      this.#ownHost = false;
    }
  }

  #make(host: HTMLElement, path = this.#path): Frame {
    return new Frame(frameUrl(this.#page, path, this.#ownHost), host);
  }

  #takeSpare(host: HTMLElement, libraries: Wanted[]): Frame | undefined {
    const warm = libraries.find((each) => LIBRARIES[each.name].warm && this.#spares.has(keyOf(each)));
    const key = warm ? keyOf(warm) : "plain";
    const spare = this.#spares.get(key);
    if (!spare || !move(spare.element, host)) return undefined;
    this.#spares.delete(key);
    return spare;
  }

  #library(wanted: Wanted): Promise<ArrayBuffer> {
    const key = keyOf(wanted);
    const known = this.#libraries.get(key) ?? this.#fetchLibrary(wanted);
    this.#libraries.set(key, known);
    known.catch(() => this.#libraries.delete(key));
    return known;
  }
}

const usedKey = (libraries: Wanted[], session: string): string => JSON.stringify([session, libraries.map(keyOf)]);

const keyOf = ({ name, url }: Wanted): string => url ?? name;

interface Movable extends HTMLElement {
  moveBefore?(node: Node, child: Node | null): void;
}

const canMove = (host: Movable): boolean => host.moveBefore !== undefined;

function move(element: HTMLElement, host: Movable): boolean {
  if (!canMove(host) || !element.isConnected) return false;
  host.moveBefore!(element, null);
  return true;
}
