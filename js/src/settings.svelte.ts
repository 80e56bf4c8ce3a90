/** What the user set in this browser (theme, filmstrip) or in this tab (project). */
import type { Theme } from "./frame/channel.ts";

export type ThemeChoice = Theme | "auto";

/** Whether plots are darkened: never, always, or in the dark theme. */
export type Filter = "off" | "on" | "follow";

/** Where the filmstrip is. */
export type Strip = "left" | "right" | "bottom" | "hidden";

const THEMES: readonly ThemeChoice[] = ["auto", "light", "dark"];
const FILTERS: readonly Filter[] = ["off", "on", "follow"];
const STRIPS: readonly Strip[] = ["left", "right", "bottom", "hidden"];

export class Settings {
  readonly #theme = new Kept("theme", THEMES);
  readonly #strip = new Kept("filmstrip", STRIPS);
  readonly #filter = new Kept("filter", FILTERS);
  readonly #runs = new Kept("runs", ["stacked", "apart"]);
  readonly #scope = new Kept("scope", ["project", "everything"], sessionStorage);
  #systemIsDark = $state(false);
  #stripBefore: Strip = "left";

  constructor() {
    const system = matchMedia("(prefers-color-scheme: dark)");
    this.#systemIsDark = system.matches;
    system.addEventListener("change", ({ matches }) => (this.#systemIsDark = matches));
  }

  /** What was chosen. */
  get choice(): ThemeChoice {
    return this.#theme.value;
  }

  set choice(choice: ThemeChoice) {
    this.#theme.value = choice;
  }

  /** What that means now. */
  get theme(): Theme {
    if (this.choice !== "auto") return this.choice;
    return this.#systemIsDark ? "dark" : "light";
  }

  nextTheme(): void {
    this.#theme.next();
  }

  get filter(): Filter {
    return this.#filter.value;
  }

  set filter(filter: Filter) {
    this.#filter.value = filter;
  }

  nextFilter(): void {
    this.#filter.next();
  }

  /** Whether plots are darkened now. */
  get darkens(): boolean {
    return this.filter === "on" || (this.filter === "follow" && this.theme === "dark");
  }

  get strip(): Strip {
    return this.#strip.value;
  }

  set strip(strip: Strip) {
    if (this.strip !== "hidden") this.#stripBefore = this.strip;
    this.#strip.value = strip;
  }

  /** Hide the filmstrip, or show it where it was. */
  toggleStrip(): void {
    this.strip = this.strip === "hidden" ? this.#stripBefore : "hidden";
  }

  /** Whether the outputs of a run lie on those of the run before. */
  get stacked(): boolean {
    return this.#runs.value === "stacked";
  }

  set stacked(stacked: boolean) {
    this.#runs.value = stacked ? "stacked" : "apart";
  }

  get everything(): boolean {
    return this.#scope.value === "everything";
  }

  set everything(everything: boolean) {
    this.#scope.value = everything ? "everything" : "project";
  }

  /** What holds where nothing was chosen in the browser, from the user's config file. */
  suggest({ theme, filter, filmstrip }: { theme: string; filter: string; filmstrip: string }): void {
    this.#theme.suggest(theme);
    this.#filter.suggest(filter);
    this.#strip.suggest(filmstrip);
  }

  /** The project that this tab was opened for. */
  get project(): string | null {
    return sessionStorage.getItem("ipyweb.project");
  }

  set project(project: string | null) {
    if (project !== null) sessionStorage.setItem("ipyweb.project", project);
  }
}

/** One choice of several, kept by the browser; what was suggested, or the first one, unless another was made. */
class Kept<T extends string> {
  #chosen: T | null;
  #suggested: T;
  readonly #name: string;
  readonly #choices: readonly T[];
  readonly #storage: Storage;

  constructor(name: string, choices: readonly T[], storage = localStorage) {
    this.#name = `ipyweb.${name}`;
    this.#choices = choices;
    this.#storage = storage;
    const kept = storage.getItem(this.#name) as T | null;
    this.#chosen = $state(kept !== null && choices.includes(kept) ? kept : null);
    this.#suggested = $state(choices[0]!);
  }

  get value(): T {
    return this.#chosen ?? this.#suggested;
  }

  set value(value: T) {
    this.#chosen = value;
    this.#storage.setItem(this.#name, value);
  }

  suggest(value: string): void {
    if (this.#choices.includes(value as T)) this.#suggested = value as T;
  }

  next(): void {
    this.value = this.#choices[(this.#choices.indexOf(this.value) + 1) % this.#choices.length]!;
  }
}
