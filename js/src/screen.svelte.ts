/** What is on the screen besides one output: a dialog, the gallery, a comparison, the details; or nothing but it. */
import type { Marks } from "./marks.svelte.ts";
import type { Outputs } from "./outputs.svelte.ts";
import type { Search } from "./search.svelte.ts";

export type Dialog = "help" | "palette" | "size" | "rename" | "note" | "trash" | "export" | "runs" | "network";

/** Side by side, one after the other in the same place, or what differs. */
export type Comparison = "side" | "blink" | "difference";

export class Screen {
  /** The dialog that is open. */
  dialog = $state<Dialog | null>(null);
  /** The run of which the dialog of runs tells what changed; `null`: it lists the runs. */
  run = $state<string | null>(null);
  /** An address in an output that was clicked and waits for the user's word. */
  link = $state<string | null>(null);
  /** Whether all outputs are shown at once, small. */
  gallery = $state(false);
  /** How the marked outputs are compared, if they are. */
  comparing = $state<Comparison | null>(null);
  /** Whether the figure shown is reached into. */
  reaching = $state(false);
  /** Whether nothing but the output is shown. */
  presenting = $state(false);
  /** Whether the details are shown beside the stage. */
  detailing = $state(false);
  /** Whether a comparison was begun in the dialog of runs, and ends there. */
  #fromRuns = false;
  readonly #outputs: Outputs;
  readonly #marks: Marks;
  readonly #search: Search;

  constructor(outputs: Outputs, marks: Marks, search: Search) {
    this.#outputs = outputs;
    this.#marks = marks;
    this.#search = search;
  }

  /** Close what is open, what lies on top first, and take the keys back. */
  leave(): void {
    const idle = document.activeElement === document.body;
    if (this.reaching) this.reaching = false;
    else if (this.presenting) this.present(false);
    else if (this.comparing) this.compare(null);
    else if (this.gallery) this.gallery = false;
    else if (this.#marks.ids.length > 0) this.#marks.clear();
    else if (this.detailing && idle) this.detailing = false;
    else if (this.#search.open && idle) this.#search.end();
    takeKeys();
  }

  /** Ask what to look for; full screen, which shows nothing but the output, is left for that. */
  startSearch(): void {
    if (this.presenting) this.present(false);
    this.#search.start();
  }

  /** List everything again; what was found stays on the stage. */
  endSearch(): void {
    this.#search.end();
    takeKeys();
  }

  /** Show the output alone on the whole screen, or as before. Where the browser has no full screen, the window has to do. */
  present(on: boolean): void {
    this.presenting = on;
    if (on) void document.documentElement.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) void document.exitFullscreen();
  }

  /** The browser has left full screen, or is there only now, when it may be wanted no more. */
  followBrowser(): void {
    if (!document.fullscreenElement) this.presenting = false;
    else if (!this.presenting) void document.exitFullscreen();
  }

  toggleGallery(): void {
    if (this.comparing) this.compare(null);
    this.gallery = !this.gallery;
  }

  /** Compare the marked outputs, or what is shown with the one before it, that of an older run with the newest; `null` ends it. */
  compare(how: Comparison | null): void {
    const marks = this.#marks;
    if (how && marks.ids.length < 2) marks.ids = this.#pair();
    this.gallery = false;
    this.comparing = how && marks.ids.length > 1 ? how : null;
    if (this.comparing) return;
    marks.clear();
    if (this.#fromRuns) this.dialog = "runs";
    this.#fromRuns = false;
  }

  #pair(): readonly number[] {
    const { order, index, current, listed } = this.#outputs;
    if (current !== listed) return [current!, listed!];
    return order.slice(Math.max(0, index - 1), Math.max(2, index + 1));
  }

  /** Tell what changed in a run of a script; `null`: list the runs. */
  showRuns(run: string | null): void {
    this.run = run;
    this.dialog = "runs";
  }

  /** Compare an output with the one in another run; then the dialog comes back. */
  compareRuns(before: number, after: number, how: Comparison): void {
    this.dialog = null;
    this.#marks.ids = [before, after];
    this.compare(how);
    this.#fromRuns = true;
  }
}

/** Take the keys from an output that has them. Firefox and WebKit leave them there when something else gets the focus. */
export function takeKeysFromOutput(): void {
  if (document.activeElement?.localName === "iframe") takeKeys();
}

/** Give up the focus, which a frame may have, so that keys mean what the pane says, and the browser lets it copy. */
export function takeKeys(): void {
  (document.activeElement as HTMLElement | null)?.blur();
  window.focus();
}
