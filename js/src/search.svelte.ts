/**
 * Finding outputs: by words, kind, session, age and pin. What the pane knows is searched at once, with every key; the hub
 * adds what only it can find, in texts that the pane has not fetched.
 */
import type { OutputRecord, SessionRecord } from "./protocol.ts";
import { byRichness, label } from "./renderers/table.ts";

/** The newest outputs that have the words, by the hub's own search, or those with a smaller id than `before`. */
export type Ask = (words: string, before: number | undefined, signal: AbortSignal) => Promise<Found>;

export interface Found {
  /** Ascending. */
  ids: readonly number[];
  /** Whether there are older ones. */
  more: boolean;
}

export type Age = "" | "1" | "7" | "30";

const DAY = 86_400_000;
/** Milliseconds without typing until older ones are asked for, page by page. */
const REST = 300;
/** Milliseconds after something new has come until the hub is asked whether it has the words. */
const AGAIN = 500;

export class Search {
  open = $state(false);
  /** Whether the field should have the focus; raised with every call for it. */
  calls = $state(0);
  words = $state("");
  /** What people call the kind, see `label`. */
  kind = $state("");
  session = $state("");
  /** Days. */
  age = $state<Age>("");
  pinned = $state(false);
  /** What the hub found for the words. */
  #found = $state.raw<{ words: string; ids: ReadonlySet<number> }>({ words: "", ids: new Set() });
  #asking: AbortController | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  readonly #ask: Ask;
  readonly #sessions: () => ReadonlyMap<string, SessionRecord>;

  constructor(ask: Ask, sessions: () => ReadonlyMap<string, SessionRecord>) {
    this.#ask = ask;
    this.#sessions = sessions;
  }

  /** Whether anything is asked for. */
  get active(): boolean {
    return this.words.trim() !== "" || this.kind !== "" || this.session !== "" || this.age !== "" || this.pinned;
  }

  start(): void {
    this.open = true;
    this.calls++;
  }

  end(): void {
    this.#asking?.abort();
    clearTimeout(this.#again);
    this.#again = undefined;
    this.open = false;
    this.words = this.kind = this.session = this.age = "";
    this.pinned = false;
  }

  /** Ask the hub too; the latest words win. */
  async ask(): Promise<void> {
    this.#asking?.abort();
    const words = this.words.trim();
    if (!words) return;
    const { signal } = (this.#asking = new AbortController());
    await this.#askForAll(words, signal).catch(() => {});
  }

  /** Something new has come, which may have the words where only the hub can see them. */
  askAgain(): void {
    if (this.words.trim() === "") return;
    this.#again ??= setTimeout(() => {
      this.#again = undefined;
      void this.#askFor(this.words.trim()).catch(() => {});
    }, AGAIN);
  }

  async #askForAll(words: string, signal: AbortSignal): Promise<void> {
    let { ids, more } = await this.#askFor(words, signal);
    while (more && !signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, REST));
      if (!signal.aborted) ({ ids, more } = await this.#askFor(words, signal, ids[0]));
    }
  }

  /** Ask for one page, and take in what is there if it is wanted still. */
  async #askFor(words: string, signal = new AbortController().signal, before?: number): Promise<Found> {
    const page = await this.#ask(words, before, signal);
    if (signal.aborted || words !== this.words.trim()) return page;
    const known = this.#found.words === words ? this.#found.ids : [];
    this.#found = { words, ids: new Set([...known, ...page.ids]) };
    return page;
  }

  /** What passes; `null` when everything does. */
  get filter(): ((output: OutputRecord) => boolean) | null {
    if (!this.active) return null;
    const words = this.words.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const found = this.#found.words === this.words.trim() ? this.#found.ids : undefined;
    const { kind, session, pinned } = this;
    const since = this.age ? new Date(Date.now() - Number(this.age) * DAY).toISOString() : "";
    const sessions = this.#sessions();
    return (output) =>
      (!kind || kindOf(output) === kind) && (!session || output.session === session) && (!pinned || output.pinned) && output.updated >= since &&
      (words.length === 0 || found?.has(output.id) === true || hasAll(textOf(output, sessions.get(output.session)), words));
  }
}

/** What people call the kind of an output. */
export const kindOf = ({ mimetypes, figure }: OutputRecord): string => (figure ? "Figure" : label(byRichness(mimetypes)[0] ?? "text/plain"));

const hasAll = (text: string, words: readonly string[]): boolean => words.every((each) => text.includes(each));

/** What the pane knows of an output in words. */
function textOf(output: OutputRecord, session: SessionRecord | undefined): string {
  const { id, title, note, source, figure } = output;
  const parts = [`#${id}`, kindOf(output), title, note, source.code, source.file, figure?.description, session?.title, session?.name, source.task?.name, source.task?.id];
  return parts.filter(Boolean).join("\n").toLowerCase();
}
