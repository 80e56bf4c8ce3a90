/** Removing outputs, which lie in the hub's trash for some days, and bringing them back. */
import type { Api, OutputList, Selection } from "./api.ts";
import { FIRST_PAGE } from "./feed.svelte.ts";
import type { Pane } from "./pane.svelte.ts";
import type { OutputRecord } from "./protocol.ts";

/** How many restored outputs are asked for one by one; more of them come with the hub's events. */
const FEW = 10;

type Around = Pick<Pane, "outputs" | "marks" | "search" | "toasts" | "showOutput">;

interface Removal {
  /** What the hub has removed. */
  ids: Promise<number[]>;
  /** Whether the newest was followed then. */
  following: boolean;
}

export class Trash {
  readonly #api: Api;
  readonly #pane: Around;
  /** What was removed here, the last at the end. */
  readonly #removals: Removal[] = [];
  #undoing = Promise.resolve();

  constructor(api: Api, pane: Around) {
    this.#api = api;
    this.#pane = pane;
  }

  /** Remove the marked outputs, or the one shown. */
  async remove(): Promise<void> {
    const { outputs, marks } = this.#pane;
    const marked = marks.ids.flatMap((id) => outputs.get(id) ?? []).flatMap((each) => outputs.withCovered(each));
    marks.clear();
    if (marked.length > 0) return this.#remove({ ids: idsOf(marked) }, marked);
    if (outputs.shown) await this.removeOne(outputs.shown);
  }

  /** Remove one output, whether it is shown or not, and what earlier runs showed in its place. */
  async removeOne(output: OutputRecord): Promise<void> {
    const all = this.#pane.outputs.withCovered(output);
    const runs = all.length > 1 ? ` of ${all.length} runs` : "";
    await this.#remove({ ids: idsOf(all) }, all, `Removed ${output.title ?? `output ${output.id}`}${runs}`);
  }

  /** Remove what is listed, but for what is pinned. */
  async clear(): Promise<void> {
    const { order, project, inScope } = this.#pane.outputs;
    const { active } = this.#pane.search;
    const all = active ? order.flatMap((id) => this.#pane.outputs.get(id) ?? []) : inScope;
    const going = all.filter(({ pinned }) => !pinned);
    await this.#remove(active ? { ids: idsOf(going) } : { project }, going);
  }

  /** Remove what the session of the output shown has shown, but for what is pinned. */
  async clearSession(): Promise<void> {
    const { shown, inScope } = this.#pane.outputs;
    if (!shown) return;
    await this.#remove({ session: shown.session }, inScope.filter(({ session, pinned }) => session === shown.session && !pinned));
  }

  /** Bring back what was removed last, and after that what was removed before it: one asked for meanwhile waits. */
  undo(): Promise<void> {
    return (this.#undoing = this.#undoing.then(() => this.#undo()).catch((error: Error) => this.#pane.toasts.say(error.message)));
  }

  /** Take outputs out of the trash. */
  async restore(ids: readonly number[]): Promise<void> {
    await this.#pane.toasts.attempt("restored", async () => {
      const { restored } = await this.#api.restore(ids);
      if (restored.length <= FEW) this.#pane.outputs.apply(await Promise.all(restored.map((id) => this.#api.output(id))));
    });
  }

  /** The newest of what lies in it. */
  list(): Promise<OutputList> {
    return this.#api.outputs({ limit: FIRST_PAGE, project: this.#pane.outputs.project, removed: true });
  }

  /** Delete outputs of it for good. */
  async purge(ids: readonly number[]): Promise<void> {
    await this.#purge({ ids, removed: true });
  }

  /** Delete all of it for good. */
  async empty(): Promise<void> {
    await this.#purge({ project: this.#pane.outputs.project, removed: true });
  }

  /** What goes is gone from the lists at once, before the hub has answered; it comes back if the hub refuses. */
  async #remove(which: Selection, listed: readonly OutputRecord[], says?: string): Promise<void> {
    const { outputs, marks, toasts } = this.#pane;
    const { following } = outputs;
    marks.keep((id) => !listed.some((each) => each.id === id));
    outputs.apply(listed.map((each) => ({ ...each, removed: new Date().toISOString() })));
    const removing = this.#api.clear(which).then(({ removed }) => removed);
    const removal = { ids: removing.catch(() => []), following };
    this.#removals.push(removal);
    try {
      const removed = await removing;
      toasts.say(says ?? `Removed ${removed.length} outputs`, () => void this.undo());
    } catch (error) {
      const at = this.#removals.indexOf(removal);
      if (at >= 0) this.#removals.splice(at, 1);
      outputs.apply(listed);
      toasts.say(`Not removed: ${(error as Error).message}`);
    }
  }

  async #undo(): Promise<void> {
    const { outputs, toasts } = this.#pane;
    const last = this.#removals.pop();
    if (!last) return toasts.say("There is nothing to undo");
    const ids = await last.ids;
    const id = ids.at(-1);
    if (id === undefined) return;
    toasts.end();
    await this.restore(ids);
    if (!(last.following && id === outputs.order.at(-1))) await this.#pane.showOutput(id);
  }

  async #purge(which: Selection): Promise<void> {
    await this.#pane.toasts.attempt("deleted", async () => {
      const { purged } = await this.#api.purge(which);
      this.#pane.toasts.say(purged.length === 1 ? "Deleted for good" : `Deleted ${purged.length} outputs for good`);
    });
  }
}

const idsOf = (outputs: readonly OutputRecord[]): number[] => outputs.map(({ id }) => id);
