/** What the user's config file says of the pane: keys, the editor, a style sheet, and choices where none were made here. */
import { ACTIONS, keymapOf } from "./actions.ts";
import type { PaneSettings } from "./api.ts";
import { chordFrom } from "./keys.ts";
import type { Settings } from "./settings.svelte.ts";

const NAMES: ReadonlySet<string> = new Set(ACTIONS.map(({ name }) => name));

export class Config {
  /** What keys mean. */
  keymap = $state.raw(keymapOf());
  /** The address that opens a file in an editor, with {file} and {line}. */
  editor = "vscode://file/{file}:{line}";
  /** What is wrong in the file. */
  problems = $state.raw<readonly string[]>([]);
  readonly #style = new CSSStyleSheet();
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Do as the file says. */
  adopt({ keys, editor, stylesheet, problems, ...suggested }: PaneSettings): void {
    const own = Object.entries(keys);
    this.keymap = keymapOf(Object.fromEntries(own.map(([name, each]) => [name, each.map(chordFrom)])));
    this.editor = editor;
    this.#settings.suggest(suggested);
    this.#style.replaceSync(stylesheet ?? "");
    document.adoptedStyleSheets = [this.#style];
    const unknown = own.flatMap(([name]) => (NAMES.has(name) ? [] : [`Pane.keys: there is nothing called ${name} to do`]));
    this.problems = [...problems, ...unknown];
  }
}
