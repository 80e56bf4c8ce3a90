/** Pictures that were made of what the stage shows: by frames, and of figures drawn for it; kept in memory. */
import type { OutputRecord } from "./protocol.ts";

const MOST = 300;

export class Pictures {
  readonly #kept = new Map<number, { url: string; version: number }>();
  #revision = $state(0);

  /** Address of the picture of an output, if one was made. That of a frame stands for later versions too. */
  url({ id, version, figure }: OutputRecord): string | undefined {
    void this.#revision;
    const kept = this.#kept.get(id);
    return kept && (!figure || kept.version === version) ? kept.url : undefined;
  }

  /** Whether there is a picture of this version of an output. */
  isOf({ id, version }: OutputRecord): boolean {
    void this.#revision;
    return this.#kept.get(id)?.version === version;
  }

  /** Keep what an address of a blob stands for as the picture of an output, in place of an earlier one. */
  keep(output: OutputRecord, url: string): void {
    this.#drop(output.id);
    this.#kept.set(output.id, { url, version: output.version });
    for (const id of [...this.#kept.keys()].slice(0, Math.max(0, this.#kept.size - MOST))) this.#drop(id);
    this.#revision++;
  }

  #drop(id: number): void {
    const kept = this.#kept.get(id);
    if (kept) URL.revokeObjectURL(kept.url);
    this.#kept.delete(id);
  }
}
