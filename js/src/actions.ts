/**
 * Everything that can be done in the pane, in one table: keys, help, palette and menus all come from it.
 *
 * It names what a `Pane` does and imports nothing of it.
 */
import { Keymap } from "./keys.ts";
import type { Pane } from "./pane.svelte.ts";

export type Group = "Go" | "Look" | "Pane";

interface Entry {
  name: string;
  /** What it does, in the words of a menu. */
  says: string;
  group: Group;
  /** Chords as `keys.ts` writes them. */
  keys: readonly string[];
  run(pane: Pane): void;
  /** Whether it can be done now; absent: always. */
  when?(pane: Pane): boolean;
}

const some = ({ outputs }: Pane): boolean => outputs.order.length > 0;

const TABLE = [
  { name: "previous", says: "Previous output", group: "Go", keys: ["ArrowLeft", "ArrowUp", "k"], when: some, run: ({ outputs }) => outputs.step(-1) },
  { name: "next", says: "Next output", group: "Go", keys: ["ArrowRight", "ArrowDown", "j"], when: some, run: ({ outputs }) => outputs.step(1) },
  { name: "back", says: "Ten back", group: "Go", keys: ["PageUp"], when: some, run: ({ outputs }) => outputs.step(-10) },
  { name: "forward", says: "Ten on", group: "Go", keys: ["PageDown"], when: some, run: ({ outputs }) => outputs.step(10) },
  { name: "first", says: "First output", group: "Go", keys: ["Home"], when: some, run: ({ outputs }) => outputs.first() },
  { name: "newest", says: "Newest output, and follow", group: "Go", keys: ["n", "End"], when: some, run: ({ outputs }) => outputs.newest() },
  { name: "remove", says: "Remove the output", group: "Go", keys: ["Delete", "x", "d", "Backspace"], when: some, run: (pane) => void pane.remove() },
  { name: "filmstrip", says: "Hide or show the filmstrip", group: "Pane", keys: ["h"], run: ({ settings }) => settings.toggleStrip() },
  { name: "strip-left", says: "Filmstrip on the left", group: "Pane", keys: [], run: ({ settings }) => void (settings.strip = "left") },
  { name: "strip-right", says: "Filmstrip on the right", group: "Pane", keys: [], run: ({ settings }) => void (settings.strip = "right") },
  { name: "strip-bottom", says: "Filmstrip at the bottom", group: "Pane", keys: [], run: ({ settings }) => void (settings.strip = "bottom") },
  { name: "theme", says: "Light, dark, as the system", group: "Pane", keys: ["t"], run: ({ settings }) => settings.nextTheme() },
  { name: "help", says: "All keys and actions", group: "Pane", keys: ["?"], run: (pane) => void (pane.helping = !pane.helping) },
  { name: "leave", says: "Give the keys back to the pane", group: "Pane", keys: ["Escape"], run: (pane) => pane.leave() },
] as const satisfies readonly Entry[];

export type ActionName = (typeof TABLE)[number]["name"];
export type Action = Entry & { name: ActionName };

export const ACTIONS: readonly Action[] = TABLE;

const BY_NAME = new Map(ACTIONS.map((each) => [each.name, each] as const));

export const action = (name: ActionName): Action => BY_NAME.get(name)!;

/** Whether an action can be done now. */
export const applies = (each: Action, pane: Pane): boolean => each.when?.(pane) ?? true;

export const keymap = new Keymap(ACTIONS);
