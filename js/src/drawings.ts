/** Drawings of figures that were made for this pane: the latest, so that going back to one asks nobody. */
import type { OutputRecord } from "./protocol.ts";
import type { Drawing, Size } from "./renderers/figure.ts";

const MOST_BYTES = 48 * 2 ** 20;

export class Drawings {
  readonly #kept = new Map<string, Drawing>();
  #bytes = 0;

  /** What was drawn of a version of a figure in that size. */
  get(output: OutputRecord, size: Size): Drawing | undefined {
    return this.#kept.get(keyOf(output, size));
  }

  keep(output: OutputRecord, size: Size, drawing: Drawing): void {
    const key = keyOf(output, size);
    if (this.#kept.has(key)) return;
    this.#kept.set(key, drawing);
    this.#bytes += drawing.blob.size;
    for (const [old, { blob }] of this.#kept) {
      if (this.#bytes <= MOST_BYTES || old === key) break;
      this.#kept.delete(old);
      this.#bytes -= blob.size;
    }
  }
}

const keyOf = ({ id, version }: OutputRecord, size: Size): string => [id, version, ...Object.entries(size).sort()].join();
