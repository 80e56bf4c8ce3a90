/** Which outputs lie on which: what one call site of a script shows in all its runs is one stack, the newest on top. */
import type { OutputRecord } from "./protocol.ts";

export class Stacks {
  /** Ids by stack, ascending. */
  readonly #ids = new Map<string, number[]>();

  /** @returns the ids of whose places something may have changed: its own, and of the one that it covers */
  add({ id, run }: OutputRecord): number[] {
    if (!run) return [id];
    const ids = this.#ids.get(run.stack) ?? [];
    if (ids.includes(id)) return [id];
    const top = ids.at(-1);
    this.#ids.set(run.stack, [...ids, id].sort((a, b) => a - b));
    return top === undefined ? [id] : [id, top];
  }

  /** @returns the same: its own, and of the one that it covered */
  remove({ id, run }: OutputRecord): number[] {
    if (!run) return [id];
    const ids = (this.#ids.get(run.stack) ?? []).filter((each) => each !== id);
    if (ids.length > 0) this.#ids.set(run.stack, ids);
    else this.#ids.delete(run.stack);
    return [id, ...ids.slice(-1)];
  }

  /** The outputs of the same stack, itself included. */
  of({ id, run }: OutputRecord): readonly number[] {
    return (run && this.#ids.get(run.stack)) ?? [id];
  }

  /** The output on top of its stack. */
  top(output: OutputRecord): number {
    return this.of(output).at(-1)!;
  }

  clear(): void {
    this.#ids.clear();
  }
}
