/** The outputs that the user has marked, to compare, remove or take away together. */
import { indexOf } from "./outputs.svelte.ts";

export class Marks {
  /** In the order in which they were marked. */
  ids = $state.raw<readonly number[]>([]);

  has(id: number): boolean {
    return this.ids.includes(id);
  }

  toggle(id: number): void {
    this.ids = this.has(id) ? this.ids.filter((each) => each !== id) : [...this.ids, id];
  }

  /** Mark all from one to another, as they are listed. */
  range(from: number, to: number, order: readonly number[]): void {
    const [a, b] = [indexOf(order, from), indexOf(order, to)].sort((x, y) => x - y) as [number, number];
    this.ids = [...new Set([...this.ids, ...order.slice(Math.max(0, a), b + 1)])];
  }

  clear(): void {
    this.ids = [];
  }

  /** Forget those that are not there any more. */
  keep(isThere: (id: number) => boolean): void {
    if (!this.ids.every(isThere)) this.ids = this.ids.filter(isThere);
  }
}
