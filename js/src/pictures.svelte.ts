/** Small pictures of outputs that only a frame can draw, which their frames made of themselves; kept in memory. */
import type { OutputRecord } from "./protocol.ts";

const MOST = 300;

export class Pictures {
  readonly #urls = new Map<number, string>();
  #revision = $state(0);

  /** Address of the picture of an output, if one was made. */
  url(id: number): string | undefined {
    void this.#revision;
    return this.#urls.get(id);
  }

  /** Keep a PNG as the picture of an output, in place of an earlier one. */
  keep(output: OutputRecord, bytes: ArrayBuffer): void {
    this.#drop(output.id);
    this.#urls.set(output.id, URL.createObjectURL(new Blob([bytes], { type: "image/png" })));
    for (const id of [...this.#urls.keys()].slice(0, this.#urls.size - MOST)) this.#drop(id);
    this.#revision++;
  }

  #drop(id: number): void {
    const url = this.#urls.get(id);
    if (url) URL.revokeObjectURL(url);
    this.#urls.delete(id);
  }
}
