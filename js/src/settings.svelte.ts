/** What the user set in this browser (theme, filmstrip) or in this tab (project). */
import type { Theme } from "./frame/channel.ts";

export type ThemeChoice = Theme | "auto";

const CHOICES: readonly ThemeChoice[] = ["auto", "light", "dark"];

export class Settings {
  #choice = $state<ThemeChoice>(read(localStorage, "theme", CHOICES));
  #filmstrip = $state(read(localStorage, "filmstrip", ["shown", "hidden"]) === "shown");
  #everything = $state(read(sessionStorage, "scope", ["project", "everything"]) === "everything");
  #systemIsDark = $state(false);

  constructor() {
    const system = matchMedia("(prefers-color-scheme: dark)");
    this.#systemIsDark = system.matches;
    system.addEventListener("change", ({ matches }) => (this.#systemIsDark = matches));
  }

  /** What was chosen. */
  get choice(): ThemeChoice {
    return this.#choice;
  }

  /** What that means now. */
  get theme(): Theme {
    if (this.#choice !== "auto") return this.#choice;
    return this.#systemIsDark ? "dark" : "light";
  }

  nextTheme(): void {
    this.#choice = CHOICES[(CHOICES.indexOf(this.#choice) + 1) % CHOICES.length]!;
    localStorage.setItem("ipyweb.theme", this.#choice);
  }

  get filmstrip(): boolean {
    return this.#filmstrip;
  }

  set filmstrip(shown: boolean) {
    this.#filmstrip = shown;
    localStorage.setItem("ipyweb.filmstrip", shown ? "shown" : "hidden");
  }

  get everything(): boolean {
    return this.#everything;
  }

  set everything(everything: boolean) {
    this.#everything = everything;
    sessionStorage.setItem("ipyweb.scope", everything ? "everything" : "project");
  }

  /** The project that this tab was opened for. */
  get project(): string | null {
    return sessionStorage.getItem("ipyweb.project");
  }

  set project(project: string | null) {
    if (project !== null) sessionStorage.setItem("ipyweb.project", project);
  }
}

function read<T extends string>(storage: Storage, name: string, allowed: readonly T[]): T {
  const value = storage.getItem(`ipyweb.${name}`) as T | null;
  return value !== null && allowed.includes(value) ? value : allowed[0]!;
}
