/**
 * Reaching into a figure: a socket to a copy of it that only this pane has, in the words of matplotlib's WebAgg, as
 * `ipyweb/hub/reach.py` has them. What the user does goes there, and pictures of what changed come back.
 *
 * Movements are sent once per frame of the screen, the newest only, and always before what came after them. Every
 * picture is acknowledged once it is painted; the copy draws no more than that. Places are pixels of the screen.
 */
import type { Extent, Point } from "./camera.ts";
import { decode, encode, FrameError, isObject, PROTOCOL, type Header } from "./protocol.ts";
import type { Size } from "./renderers/figure.ts";
import { sockets, type Open, type Socket } from "./sockets.ts";

/** How large a copy is drawn. */
export type Wanted = Pick<Size, "width" | "height" | "dpi">;

export interface Picture {
  /** The whole's size. */
  size: Extent;
  /** Where the part that changed is. */
  at: Point;
  /** That part: a PNG, or a JPEG while one picture hurries after the other. */
  part: Blob;
}

/** A band around what is zoomed to; nothing when there is none. */
export type Band = (Extent & Point) | null;

/** What one hears of a copy. */
export interface ReachEvents {
  /** It is there. */
  reached(keeps: boolean): void;
  /** Show a picture; the promise settles once it is painted. */
  paint(picture: Picture): Promise<void>;
  cursor(cursor: string): void;
  /** What is under the cursor. */
  message(text: string): void;
  history(back: boolean, forward: boolean): void;
  mode(mode: string): void;
  band(band: Band): void;
  /** The view is the output's next version. */
  kept(version: number): void;
  /** It is not, and why. */
  refused(reason: string): void;
  /** The copy is gone, and why. */
  gone(reason: string): void;
}

export interface ReachOptions {
  /** Address of the socket. */
  url: string;
  /** The token, once the hub has passed the challenge; `null` when it does not know it. Rejects when nothing answers. */
  admit(): Promise<string | null>;
  /** Opens a socket. */
  open?: Open;
  /** Calls back before the screen's next frame. */
  frame?(then: () => void): void;
}

/** The part of view that one notch of a wheel leaves; matplotlib's own. */
const NOTCH = 0.85;
const MOST_NOTCHES = 5;
const LOST = "the connection to the hub was lost";

/** Buttons of the toolbar, by WebAgg's names. */
export type Tool = "home" | "back" | "forward" | "pan" | "zoom";

type Fields = Record<string, unknown>;

export class Reach {
  readonly #options: ReachOptions;
  readonly #events: ReachEvents;
  #socket: Socket | undefined;
  #pieces: Uint8Array[] = [];
  /** Settles once all pictures that came are painted. */
  #painted: Promise<void> = Promise.resolve();
  /** Where the whole's lower edge is, from which matplotlib counts. */
  #height = 0;
  #reached = false;
  #over = false;
  #wanted: Wanted;
  /** What is sent with the next frame of the screen. */
  #waiting: Fields | null = null;
  /** What the copy may say. */
  readonly #heard: Record<string, (header: Header, buffers: Uint8Array[]) => void> = {
    reached: ({ keeps }) => this.#begun(keeps === true),
    frame: (header, buffers) => this.#picture(header, buffers),
    cursor: ({ cursor }) => this.#events.cursor(String(cursor)),
    message: ({ message }) => this.#events.message(String(message)),
    history_buttons: ({ Back, Forward }) => this.#events.history(Back === true, Forward === true),
    navigate_mode: ({ mode }) => this.#events.mode(String(mode)),
    rubberband: (header) => this.#events.band(this.#band(header)),
    kept: ({ version }) => this.#events.kept(Number(version)),
    refused: ({ reason }) => this.#events.refused(String(reason)),
    gone: ({ reason }) => this.#gone(String(reason)),
  };

  constructor(output: number, version: number, wanted: Wanted, options: ReachOptions, events: ReachEvents) {
    this.#options = options;
    this.#events = events;
    this.#wanted = wanted;
    void this.#connect({ output, version });
  }

  /** Leave; nothing is heard any more. */
  end(): void {
    this.#over = true;
    this.#socket?.close();
  }

  /** Draw it at another size. */
  resize(wanted: Wanted): void {
    if (JSON.stringify(wanted) === JSON.stringify(this.#wanted)) return;
    this.#wanted = wanted;
    if (this.#reached) this.#say("resize", { ...wanted });
  }

  tool(name: Tool): void {
    this.#say("toolbar_button", { name });
  }

  /** Keep what is seen as the output's next version. */
  keep(): void {
    this.#say("keep");
  }

  /** Pan, or turn, by so many pixels. */
  move({ x, y }: Point): void {
    this.#say("move", { x, y });
  }

  /** A button of the mouse, a finger or a pen. */
  press(type: "button_press" | "button_release", at: Point, event: Pressing): void {
    this.#say(type, mouse(at, event));
  }

  /** The mouse has moved; of several movements in a frame of the screen the last one counts. */
  hover(at: Point, event: Pressing): void {
    this.#later({ type: "motion_notify", ...mouse(at, event) });
  }

  /** Zoom by notches of a wheel, those of one frame of the screen together. */
  scroll(at: Point, notches: number, event: Pressing): void {
    const before = this.#waiting?.type === "scroll" ? Number(this.#waiting.step) : 0;
    const step = Math.max(-MOST_NOTCHES, Math.min(MOST_NOTCHES, before + notches));
    if (this.#waiting?.type === "scroll") this.#waiting = null;
    this.#later({ type: "scroll", ...mouse(at, event), step });
  }

  /** A key that means something to matplotlib. */
  key(type: "key_press" | "key_release", event: Pressing & { key: string }): void {
    this.#say(type, { key: keyOf(event) });
  }

  // -- saying ---------------------------------------------------------------------------------------------------------

  #later(message: Fields): void {
    const { frame = (then) => void requestAnimationFrame(then) } = this.#options;
    if (this.#waiting === null) frame(() => this.#flush());
    else if (this.#waiting.type !== message.type) this.#send(this.#waiting);
    this.#waiting = message;
  }

  #flush(): void {
    const message = this.#waiting;
    this.#waiting = null;
    if (message) this.#send(message);
  }

  #say(type: string, fields: Fields = {}): void {
    this.#flush();
    this.#send({ type, ...fields });
  }

  #send(message: Fields): void {
    if (this.#reached && this.#socket?.readyState === 1) this.#socket.send(encode(message as Header) as string);
  }

  // -- the socket -----------------------------------------------------------------------------------------------------

  async #connect(what: { output: number; version: number }): Promise<void> {
    const token = await this.#options.admit().catch(() => null);
    if (this.#over) return;
    if (token === null) return this.#gone(LOST);
    const { open = sockets.open } = this.#options;
    const socket = open(this.#options.url, token);
    this.#socket = socket;
    socket.onopen = () => socket.send(encode({ type: "reach", protocol: PROTOCOL, ...what, ...this.#wanted }) as string);
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ reason }) => this.#gone(reason || LOST);
  }

  #receive(frame: string | ArrayBuffer): void {
    if (this.#over) return;
    try {
      const { header, buffers } = decode(frame);
      this.#heard[header.type]?.(header, buffers);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#gone(error.message);
    }
  }

  #gone(reason: string): void {
    if (this.#over) return;
    this.end();
    this.#events.gone(reason);
  }

  // -- the copy -------------------------------------------------------------------------------------------------------

  #begun(keeps: boolean): void {
    this.#reached = true;
    this.#events.reached(keeps);
  }

  #picture({ size, at, mime, last }: Header, buffers: Uint8Array[]): void {
    this.#pieces.push(...buffers);
    if (!last) return;
    const part = new Blob(this.#pieces as BlobPart[], { type: String(mime) });
    this.#pieces = [];
    const [[width, height], [x, y]] = [pair(size), pair(at)];
    this.#height = height;
    this.#painted = this.#paint(this.#painted, { size: { width, height }, at: { x, y }, part });
  }

  async #paint(before: Promise<void>, picture: Picture): Promise<void> {
    await before;
    if (this.#over) return;
    try {
      await this.#events.paint(picture);
      this.#send({ type: "ack" });
    } catch (error) {
      this.#gone(`a picture could not be shown: ${(error as Error).message}`);
    }
  }

  /** From two corners counted from the lower edge; both are -1 when there is no band. */
  #band({ x0, y0, x1, y1 }: Header): Band {
    const [a, b, c, d] = [x0, y0, x1, y1].map(Number) as [number, number, number, number];
    if (a < 0 && c < 0) return null;
    return { x: Math.min(a, c), y: this.#height - Math.max(b, d), width: Math.abs(a - c), height: Math.abs(b - d) };
  }
}

function pair(value: unknown): [number, number] {
  if (Array.isArray(value) && value.length === 2) return [Number(value[0]), Number(value[1])];
  throw new FrameError(`expected two numbers, got ${isObject(value) ? "an object" : String(value)}`);
}

// -- what the user does -----------------------------------------------------------------------------------------------

/** What is known of an event of a mouse or keyboard. */
export type Pressing = Pick<MouseEvent, "ctrlKey" | "altKey" | "shiftKey" | "metaKey"> & Partial<Pick<MouseEvent, "button" | "buttons">>;

const MODIFIERS = [["ctrl", "ctrlKey"], ["alt", "altKey"], ["shift", "shiftKey"], ["meta", "metaKey"]] as const;

const modifiersOf = (event: Pressing): string[] => MODIFIERS.filter(([, name]) => event[name]).map(([word]) => word);

const mouse = ({ x, y }: Point, event: Pressing): Fields => ({
  x, y, button: Math.max(0, event.button ?? 0), buttons: (event.buttons ?? 0) & 31, step: 0, modifiers: modifiersOf(event),
});

/** A key in WebAgg's words: the first modifier, and what is written, after a `k`. */
export function keyOf(event: Pressing & { key: string }): string {
  const held = modifiersOf(event).find((each) => each !== "meta" && each !== event.key.toLowerCase());
  return `${held ? `${held}+` : ""}k${event.key}`;
}

/** Notches of a wheel that zooms by `factor`. */
export const notchesOf = (factor: number): number => Math.log(factor) / -Math.log(NOTCH);

/** Where a pointer is on a canvas, in its own pixels, however large it is shown. */
export function pointOn(canvas: HTMLCanvasElement, { clientX, clientY }: { clientX: number; clientY: number }): Point {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return { x: ((clientX - left) * canvas.width) / (width || 1), y: ((clientY - top) * canvas.height) / (height || 1) };
}

/** What matplotlib does on keys: home, back, forward, pan, zoom, grids, scales; and x and y, which hold a direction. */
const MATPLOTLIB = new Set([..."hrcvpogGlLkxy", "Home", "Backspace"]);

export const isForFigure = ({ key, ctrlKey, altKey, metaKey }: KeyboardEvent): boolean => MATPLOTLIB.has(key) && !ctrlKey && !altKey && !metaKey;

/** Directions of keys that pan, or turn. */
export const DIRECTIONS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 }, ArrowRight: { x: 1, y: 0 }, ArrowUp: { x: 0, y: -1 }, ArrowDown: { x: 0, y: 1 },
};

/** Notches of keys that zoom. */
export const ZOOMS: Readonly<Record<string, number>> = { "+": 1, "=": 1, "-": -1, _: -1 };

/** Shows pictures on a canvas, in the order in which they are asked for. */
export function painter(canvas: HTMLCanvasElement): (picture: Picture) => Promise<void> {
  const context = canvas.getContext("2d")!;
  return async ({ size, at, part }) => {
    const image = await createImageBitmap(part);
    if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
    if (part.type === "image/png") context.clearRect(at.x, at.y, image.width, image.height); // others cannot be seen through
    context.drawImage(image, at.x, at.y);
    image.close();
  };
}
