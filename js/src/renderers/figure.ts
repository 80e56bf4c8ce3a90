/**
 * A matplotlib figure as an image that is drawn anew, sharp, for the space it has: its stored picture first, then what
 * the figure's keeper draws for the stage's size in device pixels. While that is on its way, what is there is stretched.
 */
import type { FigureInfo, OutputRecord } from "../protocol.ts";

/** What is asked of the hub, in pixels of the screen. */
export interface Size {
  width: number;
  height: number;
  dpi: number;
}

/** Whether a figure was drawn anew, and if not, why not. */
export interface Fate {
  live: boolean;
  /** Whether the Python environment that could draw it is gone. */
  gone: boolean;
  reason: string;
}

export interface Drawing extends Fate {
  /** What was drawn, or else the stored picture. */
  blob: Blob;
}

export type Draw = (output: OutputRecord, size: Size, signal: AbortSignal) => Promise<Drawing>;

/** Milliseconds without a change of size before a figure is drawn anew. */
const CALM = 16;
/** The same for a figure that takes longer than `SLOW` seconds to draw. */
const SLOW_CALM = 1200;
const SLOW = 3;
/** CSS pixels around a figure. */
const MARGIN = 32;
/** Pixels of the screen beyond which nothing is drawn: browsers cannot show it. */
const MOST = 16_000;

/** The CSS size of a figure in a stage: all of it for one of matplotlib's default size, else in its own proportion. */
export function fit(figure: FigureInfo, stage: { width: number; height: number }): { width: number; height: number } {
  const room = { width: Math.max(50, stage.width - MARGIN), height: Math.max(50, stage.height - MARGIN) };
  if (figure.default_size) return { width: Math.round(room.width), height: Math.round(room.height) };
  const [width, height] = figure.size;
  const scale = Math.min(room.width / width, room.height / height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** What to ask for: a figure that fills the stage keeps the size of its letters, another one grows as a whole. */
export function sizeFor(figure: FigureInfo, css: { width: number; height: number }, ratio: number): Size {
  const pixels = { width: Math.min(MOST, Math.round(css.width * ratio)), height: Math.min(MOST, Math.round(css.height * ratio)) };
  const dpi = figure.default_size ? figure.dpi * ratio : (figure.dpi * pixels.width) / figure.size[0];
  return { ...pixels, dpi: Math.min(10_000, Math.max(1, dpi)) };
}

/** What to show of a figure that nobody can draw anew: its SVG, which is sharp at any size, or else its picture. */
export const storedMime = ({ mimetypes }: OutputRecord): string => (mimetypes.includes("image/svg+xml") ? "image/svg+xml" : "image/png");

/** What people are told about how the figure before them came to be, if there is anything to tell. */
export function origin(mime: string, { live, gone }: Fate): string {
  if (live) return mime === "image/png" ? "drawn anew" : "";
  const what = mime === "image/svg+xml" ? "from its SVG" : mime === "image/png" ? "as stored" : "";
  return what && gone ? `${what}, since its environment is gone` : what;
}

/** What to ask for a figure on a stage. */
export const sizeIn = (figure: FigureInfo, stage: HTMLElement): Size =>
  sizeFor(figure, fit(figure, { width: stage.clientWidth, height: stage.clientHeight }), window.devicePixelRatio || 1);

/** A figure's first picture on a stage, drawn for it before there is a stored one. */
export interface First {
  image: HTMLImageElement;
  asked: string;
  fate: Fate;
}

/** Draws a figure whose picture is not stored yet; `drawn` is told while it is decoded. @throws when nobody can. */
export async function drawFirst(
  output: OutputRecord, stage: HTMLElement, draw: Draw, drawn: (picture: Blob) => void, signal: AbortSignal,
): Promise<First> {
  const size = sizeIn(output.figure!, stage);
  const { blob, ...fate } = await draw(output, size, signal);
  if (!fate.live) throw new Error(fate.reason);
  drawn(blob);
  const image = new Image();
  image.decoding = "sync"; // it is the next thing that is painted
  image.src = URL.createObjectURL(blob);
  await new Promise((resolve, reject) => Object.assign(image, { onload: resolve, onerror: reject }));
  return { image, asked: JSON.stringify(size), fate };
}

/** Keeps one image at the stage's size for as long as it is shown. */
export class LiveFigure {
  readonly #image: HTMLImageElement;
  readonly #stage: HTMLElement;
  readonly #output: OutputRecord;
  readonly #figure: FigureInfo;
  readonly #draw: Draw;
  readonly #told: (fate: Fate) => void;
  readonly #observer: ResizeObserver;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | undefined;
  #asked = "";
  #url = "";

  /** With `asked`, the image shows already what was drawn for that size. */
  constructor(image: HTMLImageElement, stage: HTMLElement, output: OutputRecord, draw: Draw, told: (fate: Fate) => void, asked = "") {
    this.#image = image;
    this.#stage = stage;
    this.#output = output;
    this.#figure = output.figure!;
    this.#draw = draw;
    this.#told = told;
    this.#asked = asked;
    if (asked) this.#url = image.src;
    this.#stretch();
    this.#observer = new ResizeObserver(() => this.#resized());
    this.#observer.observe(stage);
    void this.#render();
  }

  /** Stop, and let go of the picture. */
  end(): void {
    this.#observer.disconnect();
    clearTimeout(this.#timer);
    this.#running?.abort();
    URL.revokeObjectURL(this.#url);
  }

  #resized(): void {
    this.#stretch();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#render(), (this.#figure.seconds ?? 0) > SLOW ? SLOW_CALM : CALM);
  }

  #size(): { width: number; height: number } {
    return fit(this.#figure, { width: this.#stage.clientWidth, height: this.#stage.clientHeight });
  }

  #stretch(): void {
    const { width, height } = this.#size();
    Object.assign(this.#image.style, { width: `${width}px`, height: `${height}px` });
  }

  async #render(): Promise<void> {
    const size = sizeIn(this.#figure, this.#stage);
    const asked = JSON.stringify(size);
    if (asked === this.#asked || this.#stage.clientWidth === 0) return;
    this.#asked = asked;
    this.#running?.abort();
    const running = (this.#running = new AbortController());
    try {
      const { blob, ...fate } = await this.#draw(this.#output, size, running.signal);
      if (running.signal.aborted) return;
      if (fate.live) await this.#swap(blob, running.signal);
      if (!running.signal.aborted) this.#told(fate);
    } catch (error) {
      if (running.signal.aborted) return;
      this.#asked = "";
      this.#told({ live: false, gone: false, reason: (error as Error).message });
    }
  }

  /** Shows another picture once it is decoded, so that nothing flashes. */
  async #swap(blob: Blob, signal: AbortSignal): Promise<void> {
    const url = URL.createObjectURL(blob);
    const next = new Image();
    next.src = url;
    await next.decode();
    if (signal.aborted) return URL.revokeObjectURL(url);
    const before = this.#url;
    this.#url = url;
    this.#image.src = url;
    await this.#image.decode();
    URL.revokeObjectURL(before);
  }
}
