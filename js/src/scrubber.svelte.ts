/**
 * Which version of an output is looked at: the newest, which stays live, or an older one, which stays as it is however
 * many new ones come. Outputs can be linked, so that all are looked at in the same step.
 */
import type { OutputRecord, VersionRecord } from "./protocol.ts";

/** Milliseconds between versions that are played. */
const PACE = 160;
/** How many versions hubs keep, unless told otherwise. */
const MOST = 100;

export class Scrubber {
  /** Whether all outputs are looked at in the same step. */
  linked = $state(false);
  playing = $state(false);
  /** The version looked at, by output; that of all of them under 0. */
  #at = $state.raw<ReadonlyMap<number, number>>(new Map());
  #known = $state.raw<ReadonlyMap<number, readonly VersionRecord[]>>(new Map());
  readonly #fetch: (id: number) => Promise<VersionRecord[]>;
  /** What is being learnt, by output and its newest version. */
  readonly #learning = new Map<string, Promise<void>>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(fetch: (id: number) => Promise<VersionRecord[]>) {
    this.#fetch = fetch;
  }

  /** An output as it was in the version looked at. */
  seen(output: OutputRecord): OutputRecord {
    const step = this.#step(output.id);
    const version = step === undefined || step >= output.version ? undefined : nearest(this.#known.get(output.id) ?? [], step);
    if (!version) return output;
    const { data, mimetypes, figure, created } = version;
    return { ...output, data, mimetypes, figure: figure ?? null, updated: created, version: version.version, size: version.size };
  }

  /** Whether an older version than the newest is looked at. */
  isBack(output: OutputRecord): boolean {
    return this.seen(output).version !== output.version;
  }

  /** Whether no version lies before the one looked at, or after it. */
  isAtEnd(output: OutputRecord, direction: 1 | -1): boolean {
    const at = this.seen(output).version;
    return direction < 0 ? at <= this.versions(output)[0]! : at >= output.version;
  }

  /** Versions that are there, the oldest first; as far as that is not known yet, those that may be. */
  versions(output: OutputRecord): number[] {
    const known = this.#known.get(output.id)?.map(({ version }) => version) ?? [];
    const last = known.at(-1) ?? Math.max(0, output.version - MOST);
    return [...known, ...Array.from({ length: output.version - last }, (_, i) => last + 1 + i)];
  }

  /** Look at a version; the newest means to stay with the newest. Linked outputs stay when none has more versions. */
  async look(output: OutputRecord, version: number): Promise<void> {
    await this.learn(output);
    this.#look(output, version);
  }

  #look(output: OutputRecord, version: number): void {
    const at = new Map(this.#at);
    const key = this.linked ? 0 : output.id;
    const newest = this.linked ? Math.max(...[...this.#known.values()].map((each) => each.at(-1)?.version ?? 0)) : output.version;
    if (version >= newest) at.delete(key);
    else at.set(key, version);
    this.#at = at;
  }

  /** Look at the version before or after. */
  async step(output: OutputRecord, direction: 1 | -1): Promise<void> {
    await this.learn(output);
    const versions = this.versions(output);
    const index = versions.indexOf(this.seen(output).version) + direction;
    this.#look(output, versions[Math.min(versions.length - 1, Math.max(0, index))]!);
  }

  /** Learn what versions there are. All who want to know meanwhile hear it at once, and so go on in the order they came. */
  learn({ id, version }: OutputRecord): Promise<void> {
    if (this.#known.get(id)?.at(-1)?.version === version) return Promise.resolve();
    const key = `${id} ${version}`;
    const learning = this.#learning.get(key) ?? this.#learn(id).finally(() => this.#learning.delete(key));
    this.#learning.set(key, learning);
    return learning;
  }

  async #learn(id: number): Promise<void> {
    const versions = await this.#fetch(id);
    this.#known = new Map(this.#known).set(id, versions);
  }

  /**
   * Play the versions from the one looked at, or from the first, to the newest.
   *
   * @param current what is shown now; `null` ends it
   * @param painted whether its pixels are there, before which nothing follows
   */
  async play(current: () => OutputRecord | null, painted: () => boolean): Promise<void> {
    const output = current();
    if (!output) return;
    await this.learn(output);
    if (!this.isBack(output)) await this.look(output, this.versions(output)[0]!);
    this.playing = true;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      const now = current();
      if (now?.id !== output.id || !this.isBack(now)) this.pause();
      else if (painted()) void this.step(now, 1);
    }, PACE);
  }

  pause(): void {
    clearInterval(this.#timer);
    this.playing = false;
  }

  #step(id: number): number | undefined {
    return this.linked ? this.#at.get(0) : this.#at.get(id);
  }
}

/** The newest version that is not newer than `step`, else the oldest. */
function nearest(versions: readonly VersionRecord[], step: number): VersionRecord | undefined {
  return versions.findLast(({ version }) => version <= step) ?? versions[0];
}
