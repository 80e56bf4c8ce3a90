/** The pane's keys: one table for the shell, for the frames that forward what they do not use, and for the help. */
export type Action = "previous" | "next" | "first" | "newest" | "back" | "forward" | "remove" | "filmstrip" | "theme" | "help";

interface Binding {
  action: Action;
  keys: string[];
  /** How the help writes the keys. */
  shown: string[];
  says: string;
}

export const BINDINGS: readonly Binding[] = [
  { action: "previous", keys: ["ArrowLeft", "ArrowUp", "k"], shown: ["←", "↑", "K"], says: "Previous output" },
  { action: "next", keys: ["ArrowRight", "ArrowDown", "j"], shown: ["→", "↓", "J"], says: "Next output" },
  { action: "back", keys: ["PageUp"], shown: ["Page ↑"], says: "Ten back" },
  { action: "forward", keys: ["PageDown"], shown: ["Page ↓"], says: "Ten on" },
  { action: "first", keys: ["Home"], shown: ["Home"], says: "First output" },
  { action: "newest", keys: ["End", "n"], shown: ["End", "N"], says: "Newest output, and follow" },
  { action: "remove", keys: ["Delete", "x", "d"], shown: ["Del", "X", "D"], says: "Remove the output" },
  { action: "filmstrip", keys: ["h"], shown: ["H"], says: "Hide or show the filmstrip" },
  { action: "theme", keys: ["t"], shown: ["T"], says: "Light, dark, as the system" },
  { action: "help", keys: ["?"], shown: ["?"], says: "This list" },
];

const ACTIONS = new Map(BINDINGS.flatMap(({ action, keys }) => keys.map((key) => [key, action] as const)));

/** The action of a key, as in `KeyboardEvent.key`; letters in either case. */
export function actionOf(key: string): Action | undefined {
  return ACTIONS.get(key.length === 1 ? key.toLowerCase() : key);
}

/** Whether a key typed at `target` belongs to it: it edits text, or moves its own selection. */
export function isTyping(target: EventTarget | null): boolean {
  const el = target as Partial<HTMLElement> | null;
  if (el?.isContentEditable) return true;
  return el?.matches?.("input, textarea, select, [role=slider], [role=listbox]:not([data-testid=filmstrip]), video, audio") ?? false;
}

/** Whether `event` may be one of the pane's: no modifier that a browser or an input method uses. */
export function isPlain(event: KeyboardEvent): boolean {
  return !(event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented);
}
