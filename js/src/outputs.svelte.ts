/**
 * The outputs that the pane knows: records by id, their order, which one is shown, and whether the pane follows the
 * newest. It never pulls the user away from an older output; it counts what they have not seen instead.
 */
import type { OutputRecord, Tombstone } from "./protocol.ts";
import { Stacks } from "./stacks.ts";

/** How many changes are put into their places one by one. */
const FEW = 50;

export class Outputs {
  /** Ids of the outputs in scope, ascending. */
  order = $state.raw<readonly number[]>([]);
  /** Id of the output shown. */
  current = $state<number | null>(null);
  /** Whether a new output is shown as soon as it comes. */
  following = $state(true);
  /** Path of the project spoken of; `null` means everything. */
  project = $state<string | null>(null);
  /** Whether the older ones are there too. */
  complete = $state(false);
  /** Where the user went last: on, or back. */
  direction: 1 | -1 = -1;

  readonly #records = new Map<number, OutputRecord>();
  readonly #stacks = new Stacks();
  #stacked = true;
  /** The events with which outputs went, so that a late answer does not bring them back. */
  readonly #gone = new Map<number, number>();
  #filter: ((output: OutputRecord) => boolean) | null = null;
  #revision = $state(0);
  /** The newest id that the user has seen, or could have. */
  #seen = $state(0);
  /** Whether nobody looks, so that nothing is seen. */
  #away = $state(false);
  /** The ids between which everything came during the last break; `null`: there was none, or nothing came. */
  #break = $state.raw<{ after: number; until: number } | null>(null);
  /** Whether the user has gone to what came during the break. */
  #caughtUp = $state(true);

  /** The record of an id. */
  get(id: number): OutputRecord | undefined {
    void this.#revision;
    return this.#records.get(id);
  }

  get shown(): OutputRecord | undefined {
    return this.current === null ? undefined : this.get(this.current);
  }

  /** Id of the output in `order` that stands for the one shown: itself, or the one on top of it. */
  get listed(): number | null {
    const { shown, order } = this;
    if (!shown || indexOf(order, shown.id) >= 0) return this.current;
    return this.#stacks.top(shown);
  }

  /** Position of the output shown in `order`, or -1. */
  get index(): number {
    return this.listed === null ? -1 : indexOf(this.order, this.listed);
  }

  /** An output and, if it is listed for them too, those of earlier runs that it covers; none of these that is pinned. */
  withCovered(output: OutputRecord): OutputRecord[] {
    void this.#revision;
    if (!this.#stacked || this.#filter || this.#stacks.top(output) !== output.id) return [output];
    const covered = this.#stacks.of(output).slice(0, -1).flatMap((id) => this.get(id) ?? []);
    return [...covered.filter(({ pinned }) => !pinned), output];
  }

  /** How many outputs came after the newest one seen. */
  get unread(): number {
    return this.following && !this.#away ? 0 : this.order.length - lowerBound(this.order, this.#seen + 1);
  }

  /** Whether an output came after the newest one seen, or during the break. */
  isUnread(id: number): boolean {
    return this.unread > 0 ? id > this.#seen : this.news > 0 && id > this.#break!.after && id <= this.#break!.until;
  }

  /** The newest id that the user has seen, or could have. */
  get looked(): number {
    return this.#seen;
  }

  /** The first output that came during the last break. */
  get firstNew(): number | undefined {
    return this.#break ? this.order[lowerBound(this.order, this.#break.after + 1)] : undefined;
  }

  /** How many came during the last break, until the user goes to one of them. */
  get news(): number {
    const { order } = this;
    if (this.#caughtUp || !this.#break) return 0;
    return lowerBound(order, this.#break.until + 1) - lowerBound(order, this.#break.after + 1);
  }

  /**
   * The first outputs are there.
   *
   * @param looked the newest that was seen when the pane was last open, if that is known
   */
  begin(looked: number | null): void {
    if (looked !== null) this.#note(looked);
    this.#seen = this.order.at(-1) ?? 0;
  }

  /** Nobody looks from now on: what comes is not seen. */
  leave(): void {
    this.#away = true;
  }

  /**
   * Somebody looks again.
   *
   * @param since the newest that was seen before
   * @param long whether it was a break, so that what came is told
   */
  comeBack(long: boolean, since = this.#seen): void {
    this.#away = false;
    if (long) this.#note(since);
    if (long || this.following) this.#seen = this.order.at(-1) ?? this.#seen;
  }

  /** Note what came during a break; nothing if that is only what is shown anyway. */
  #note(after: number): void {
    const until = this.order.at(-1) ?? 0;
    const came = this.order.length - lowerBound(this.order, after + 1);
    if (came === 0 || (came === 1 && this.current === until)) return;
    this.#break = { after, until };
    this.#caughtUp = false;
  }

  /** Take in records, or what is left of them. Older knowledge than one has is ignored. */
  apply(changed: readonly (OutputRecord | Tombstone)[]): void {
    if (changed.length === 0) return;
    const moved = changed.flatMap((each) => this.#take(each));
    this.#revision++;
    if (changed.length > FEW) this.#arrange();
    else this.#place(moved);
  }

  /** Forget everything, because the hub is not the one it was. */
  reset(): void {
    this.#records.clear();
    this.#stacks.clear();
    this.#gone.clear();
    this.#revision++;
    this.#seen = 0;
    this.#break = null;
    this.complete = false;
    this.#arrange();
  }

  /** List only what passes, or with `null` everything in scope; then what is shown stays. */
  setFilter(filter: ((output: OutputRecord) => boolean) | null): void {
    const { following } = this;
    this.#filter = filter;
    this.following = false;
    this.#arrange();
    if ((filter && following) || this.current === null) this.newest();
  }

  /** List of each stack of runs only what is on top, and what is pinned; a filter finds the others too. */
  setStacked(stacked: boolean): void {
    this.#stacked = stacked;
    this.#revision++;
    this.#arrange();
  }

  /** What the call site of an output showed in the run before, or after, that is there: gaps are stepped over. */
  inStack(output: OutputRecord, direction: 1 | -1): OutputRecord | undefined {
    void this.#revision;
    const ids = this.#stacks.of(output);
    const beside = ids[ids.indexOf(output.id) + direction];
    return beside === undefined ? undefined : this.#records.get(beside);
  }

  /** All outputs of the project, whatever the filter. */
  get inScope(): OutputRecord[] {
    void this.#revision;
    return [...this.#records.values()].filter(({ project }) => this.project === null || project === this.project);
  }

  /** Speak of another project, or with `null` of everything. */
  setProject(project: string | null): void {
    this.project = project;
    this.complete = false;
    this.#arrange();
  }

  /** Show an output; the newest one means to follow from now on. */
  select(id: number): void {
    if (this.current !== null && id !== this.current) this.direction = id > this.current ? 1 : -1;
    this.current = id;
    this.following = id === this.order.at(-1);
    if (this.following && !this.#away) this.#seen = id;
    if (this.#break && id > this.#break.after) this.#caughtUp = true;
  }

  /** Go `count` outputs on, or back; not beyond the ends. */
  step(count: number): void {
    if (this.order.length === 0) return;
    const to = Math.min(this.order.length - 1, Math.max(0, this.index + count));
    this.select(this.order[to]!);
  }

  first(): void {
    this.step(-this.order.length);
  }

  newest(): void {
    this.step(this.order.length);
  }

  /** Take in one record; returns the ids of whose places something may have changed. */
  #take(each: OutputRecord | Tombstone): number[] {
    const before = this.#records.get(each.id);
    if (each.event < (before?.event ?? this.#gone.get(each.id) ?? 0)) return [];
    if ("purged" in each || each.removed !== null) {
      if (before && each.id === this.current) this.#rise(before);
      this.#records.delete(each.id);
      this.#gone.set(each.id, each.event);
      return before ? this.#stacks.remove(before) : [each.id];
    }
    this.#records.set(each.id, each);
    this.#gone.delete(each.id);
    return this.#stacks.add(each);
  }

  /** The output shown goes. If it was one that others cover, the next of these is shown; else see `nearest`. */
  #rise(output: OutputRecord): void {
    const above = this.#stacks.of(output).find((id) => id > output.id);
    if (above !== undefined && indexOf(this.order, output.id) < 0) this.select(above);
  }

  /** Put a few into their places: a new output costs the same however many there are. */
  #place(ids: readonly number[]): void {
    const moved = [...new Set(ids)].filter((id) => indexOf(this.order, id) >= 0 !== this.#isListed(this.#records.get(id)));
    if (moved.length === 0 && (this.current === null || this.shown)) return;
    const order = [...this.order];
    for (const id of moved) {
      const at = lowerBound(order, id);
      if (order[at] === id) order.splice(at, 1);
      else order.splice(at, 0, id);
    }
    this.#setOrder(order);
  }

  #arrange(): void {
    const listed = [...this.#records.values()].filter((each) => this.#isListed(each));
    this.#setOrder(listed.map(({ id }) => id).sort((a, b) => a - b));
  }

  #isListed(output: OutputRecord | undefined): boolean {
    if (!output || (this.project !== null && output.project !== this.project)) return false;
    if (this.#filter) return this.#filter(output);
    return !this.#stacked || !!output.pinned || this.#stacks.top(output) === output.id;
  }

  #setOrder(order: readonly number[]): void {
    const before = this.order;
    this.order = order;
    const newest = order.at(-1) ?? null;
    if (this.following) this.current = newest;
    else if (this.current !== null && this.index < 0) this.current = nearest(order, before, this.current);
    if (this.current === newest) this.following = true;
    if (this.following && !this.#away) this.#seen = newest ?? this.#seen;
  }
}

/** What to show when `gone` is gone: the one after it, else the one before it. */
function nearest(order: readonly number[], before: readonly number[], gone: number): number | null {
  const next = before[lowerBound(before, gone + 1)];
  const at = lowerBound(order, next ?? gone);
  return order[at] ?? order.at(-1) ?? null;
}

/** Position of the first id that is not smaller than `id`. */
function lowerBound(order: readonly number[], id: number): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (order[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Position of `id`, or -1. */
export function indexOf(order: readonly number[], id: number): number {
  const at = lowerBound(order, id);
  return order[at] === id ? at : -1;
}
