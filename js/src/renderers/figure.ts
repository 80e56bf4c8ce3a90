/**
 * A matplotlib figure as an image that is drawn anew, sharp, for the space it has: its stored picture first, then what
 * the figure's keeper draws for the stage's size in device pixels. While that is on its way, what is there is stretched.
 */
import { FILL, room, type Extent, type Layout, type Sizing } from "../camera.ts";
import type { FigureInfo, OutputRecord } from "../protocol.ts";

/** What is asked of the hub, in pixels of the screen. */
export interface Size {
  width: number;
  height: number;
  dpi: number;
  /** Without the backgrounds of the figure and of its axes. */
  transparent?: boolean;
  /** Whether a figure that gets smaller keeps its margins, so that labels still fit. */
  margins?: boolean;
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
/** The same while it is zoomed, which goes in many small steps. */
const ZOOM_CALM = 120;
/** The same for a figure that takes longer than `SLOW` seconds to draw. */
const SLOW_CALM = 1200;
const SLOW = 3;
/** Pixels of the screen beyond which nothing is drawn: browsers cannot show it, and nobody waits for it. */
const LONGEST = 16_000;
const LARGEST = 40e6;

/**
 * The CSS size of a figure in a stage. One of matplotlib's default size is laid out anew for all of it, another keeps its
 * proportion and grows as a whole; letters never get smaller than as made.
 */
export function fit(figure: FigureInfo, stage: Extent, { policy, custom }: Sizing = FILL): Layout {
  const [width, height] = figure.size;
  if (policy !== "fill") return { ...(policy === "made" ? { width, height } : custom), scale: 1 };
  const space = room(stage);
  if (figure.default_size) return { width: Math.round(space.width), height: Math.round(space.height), scale: 1 };
  const scale = Math.min(space.width / width, space.height / height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)), scale: Math.max(1, scale) };
}

/** What to ask for: a layout and its zoom, in pixels of the screen. */
export function sizeFor(figure: FigureInfo, layout: Layout, ratio: number, zoom = 1): Size {
  const { width, height } = { width: layout.width * zoom, height: layout.height * zoom };
  const sharp = Math.min(ratio, Math.sqrt(LARGEST / (width * height)), LONGEST / Math.max(width, height));
  const dpi = figure.dpi * layout.scale * zoom * sharp;
  return { width: Math.max(1, Math.round(width * sharp)), height: Math.max(1, Math.round(height * sharp)), dpi: Math.min(10_000, Math.max(1, dpi)), margins: true };
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
export const sizeIn = (figure: FigureInfo, stage: Extent, sizing: Sizing, ratio: number, zoom = 1): Size =>
  sizeFor(figure, fit(figure, stage, sizing), ratio, zoom);

/** A figure's first picture on a stage, drawn for it before there is a stored one. */
export interface First {
  image: HTMLImageElement;
  asked: string;
  fate: Fate;
}

/**
 * Draws a figure whose picture is not stored yet.
 *
 * @param drawn takes over the picture's address: what shows it too needs not load it again
 * @throws when nobody can
 */
export async function drawFirst(
  output: OutputRecord, size: Size, draw: Draw, drawn: (picture: string) => void, signal: AbortSignal,
): Promise<First> {
  const { blob, ...fate } = await draw(output, size, signal);
  if (!fate.live) throw new Error(fate.reason);
  const image = new Image();
  image.decoding = "sync"; // it is the next thing that is painted
  image.src = URL.createObjectURL(blob);
  await new Promise((resolve, reject) => Object.assign(image, { onload: resolve, onerror: reject }));
  drawn(image.src);
  return { image, asked: JSON.stringify(size), fate };
}

/** Keeps one image drawn for the size that it has, for as long as it is shown. */
export class LiveFigure {
  readonly #image: HTMLImageElement;
  readonly #output: OutputRecord;
  readonly #size: () => Size | null;
  readonly #draw: Draw;
  readonly #told: (fate: Fate) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | undefined;
  #asked: string;
  #url = "";

  /**
   * @param size what to ask for now; nothing while the stage has no size
   * @param asked the image shows already what was drawn for that size
   */
  constructor(image: HTMLImageElement, output: OutputRecord, size: () => Size | null, draw: Draw, told: (fate: Fate) => void, asked = "") {
    this.#image = image;
    this.#output = output;
    this.#size = size;
    this.#draw = draw;
    this.#told = told;
    this.#asked = asked;
    void this.#render();
  }

  /** Stop, and let go of the picture. */
  end(): void {
    clearTimeout(this.#timer);
    this.#running?.abort();
    URL.revokeObjectURL(this.#url);
  }

  /** The size may be another one: draw anew once it stays, which takes longer while the user is zooming. */
  resized(zooming = false): void {
    clearTimeout(this.#timer);
    const calm = zooming ? ZOOM_CALM : CALM;
    this.#timer = setTimeout(() => void this.#render(), (this.#output.figure!.seconds ?? 0) > SLOW ? SLOW_CALM : calm);
  }

  async #render(): Promise<void> {
    const size = this.#size();
    const asked = JSON.stringify(size);
    if (size === null || asked === this.#asked) return;
    this.#asked = asked;
    this.#running?.abort();
    const running = (this.#running = new AbortController());
    try {
      const { blob, ...fate } = await this.#draw(this.#output, size, running.signal);
      if (running.signal.aborted) return;
      if (fate.live) await this.#swap(blob);
      if (!running.signal.aborted) this.#told(fate);
    } catch (error) {
      if (running.signal.aborted) return;
      this.#asked = "";
      this.#told({ live: false, gone: false, reason: (error as Error).message });
    }
  }

  /** Shows another picture; until it is loaded, browsers show the one before. */
  async #swap(blob: Blob): Promise<void> {
    const before = this.#url;
    this.#image.decoding = "sync";
    this.#image.src = this.#url = URL.createObjectURL(blob);
    try {
      await this.#image.decode();
    } finally {
      URL.revokeObjectURL(before);
    }
  }
}
