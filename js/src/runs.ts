/** Runs of scripts, and what changed from one to the next, as the hub knows it. */
import type { Api } from "./api.ts";
import type { Outputs } from "./outputs.svelte.ts";
import type { RunChanges, RunRecord } from "./protocol.ts";

export class Runs {
  readonly #api: Api;
  readonly #outputs: Outputs;

  constructor(api: Api, outputs: Outputs) {
    this.#api = api;
    this.#outputs = outputs;
  }

  /** The runs of the scripts of the project spoken of, the newest first. */
  async list(): Promise<RunRecord[]> {
    return (await this.#api.runs(this.#outputs.project)).runs;
  }

  /** What a run has shown, compared with another one, or the one before; the outputs of both are known then. */
  async changes(run: string, other: string | null): Promise<RunChanges> {
    const changes = await this.#api.changes(run, other);
    this.#outputs.apply(changes.outputs.filter(({ id, event }) => event > (this.#outputs.get(id)?.event ?? -1)));
    const missing = changes.stacks.flatMap(({ before }) => (before !== null && !this.#outputs.get(before) ? [before] : []));
    const found = await Promise.all(missing.map((id) => this.#api.output(id).catch(() => null)));
    this.#outputs.apply(found.filter((each) => each !== null));
    return changes;
  }
}
