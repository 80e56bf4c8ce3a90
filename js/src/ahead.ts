/** What will likely be shown next, fetched and decoded ahead, so that going there is a matter of one frame. */
import { fetchData } from "./api.ts";
import type { OutputRecord } from "./protocol.ts";
import { family } from "./renderers/table.ts";

/** One MIME type of an output. */
interface Wanted {
  output: OutputRecord;
  mime: string;
}

const MOST = 12;
/** Bytes beyond which data is not fetched ahead. */
const LARGEST = 4 * 2 ** 20;

export class Ahead {
  /** Images by address, the latest last. */
  readonly #images = new Map<string, HTMLImageElement>();
  /** Data that the browser has been told to fetch into its cache. */
  readonly #fetched = new Set<string>();

  /** Fetch what these views show, the most likely first. */
  fetch(views: readonly Wanted[]): void {
    for (const { output, mime } of views) {
      const ref = output.data[mime];
      if (!ref || ref.size > LARGEST) continue;
      if (family(mime).renderer === "image") this.#image(ref.url);
      else this.#data(ref.url);
    }
  }

  /** The image of an address, if it was fetched; it belongs to the caller. */
  take(url: string): HTMLImageElement | undefined {
    const image = this.#images.get(url);
    this.#images.delete(url);
    return image;
  }

  #image(url: string): void {
    const image = this.#images.get(url) ?? new Image();
    this.#images.delete(url);
    this.#images.set(url, image);
    for (const old of [...this.#images.keys()].slice(0, Math.max(0, this.#images.size - MOST))) this.#images.delete(old);
    if (image.src) return;
    image.src = url;
    image.decode().catch(() => this.#images.delete(url));
  }

  #data(url: string): void {
    if (this.#fetched.has(url)) return;
    this.#fetched.add(url);
    fetchData(url).catch(() => this.#fetched.delete(url));
  }
}

/** The neighbours of position `index` among `count`, the likeliest first: where the user is going, then back. */
export function neighbours(index: number, count: number, direction: 1 | -1): number[] {
  const steps = [direction, 2 * direction, -direction, 3 * direction];
  return steps.map((step) => index + step).filter((at) => at >= 0 && at < count);
}
