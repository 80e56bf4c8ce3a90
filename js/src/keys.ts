/**
 * Keys, and how they are written: `ArrowLeft`, `k`, `?`, with modifiers `Shift+t`, `Mod+k` (Ctrl, or Cmd on a Mac) and
 * `Alt+d`. A letter without `Shift+` means either case, unless the other one has a meaning of its own.
 */

/** How a key press may be written, the most specific first; empty when it is none of the pane's business. */
export function chordsOf(event: KeyboardEvent): string[] {
  if (event.isComposing || event.defaultPrevented) return [];
  const { ctrlKey, metaKey, altKey, shiftKey } = event;
  const composed = event.getModifierState("AltGraph"); // how many keyboards write [ and ]
  const key = altKey && !composed ? plainKey(event) : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (composed || !(ctrlKey || metaKey || altKey)) return shiftKey && isNamed(key) ? [`Shift+${key}`, key] : [key];
  if (altKey) return ctrlKey || metaKey ? [] : [`Alt+${key}`];
  return [shiftKey ? `Mod+Shift+${key}` : `Mod+${key}`];
}

/** What a key means without Alt, which writes other letters on a Mac. */
const plainKey = ({ code, key }: KeyboardEvent): string => (/^Key[A-Z]$/.test(code) ? code.slice(3).toLowerCase() : key);

/** Whether Shift changes the meaning of a key, not the key itself: of `?` it is a part. */
const isNamed = (key: string): boolean => key.length > 1 || /\p{L}/u.test(key);

/** Whether a key typed at `target` belongs to it: it edits text, or moves its own selection. */
export function isTyping(target: EventTarget | null): boolean {
  const el = target as Partial<HTMLElement> | null;
  if (el?.isContentEditable) return true;
  return el?.matches?.("input, textarea, select, [role=slider], [role=listbox]:not([data-testid=filmstrip], [data-testid=gallery]), video, audio") ?? false;
}

const isMac = (): boolean => /Mac|iPhone|iPad/.test(navigator.platform);

const NAMES: Record<string, string> = {
  ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", PageUp: "Page ↑", PageDown: "Page ↓",
  Delete: "Del", Escape: "Esc", Backspace: "⌫", "-": "−", " ": "Space",
};

/** A chord as people read it: `⌘ K`, `Ctrl K`, `←`. */
export function shownChord(chord: string, mac = isMac()): string {
  const [key, ...modifiers] = chord.split(/(?<=.)\+(?=.)/).reverse() as [string, ...string[]];
  const names: Record<string, string> = mac ? { Mod: "⌘", Alt: "⌥", Shift: "⇧" } : { Mod: "Ctrl", Alt: "Alt", Shift: "Shift" };
  const shown = NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  return [...modifiers.reverse().map((each) => names[each] ?? each), shown].join(" ");
}

/** A chord as people may write it, `Ctrl+K`, as it is written here, `Mod+k`. */
export function chordFrom(text: string): string {
  const [key, ...modifiers] = text.trim().split(/(?<=.)\+(?=.)/).reverse() as [string, ...string[]];
  const names = modifiers.map((each) => (/^(?:ctrl|control|cmd|command|meta|mod)$/i.test(each) ? "Mod" : each[0]!.toUpperCase() + each.slice(1).toLowerCase()));
  const order = ["Mod", "Alt", "Shift"].filter((each) => names.includes(each));
  return [...order, key.length === 1 ? key.toLowerCase() : key].join("+");
}

/** Which chord means which action; the last one that says so. */
export class Keymap<Name extends string> {
  readonly #names = new Map<string, Name>();

  constructor(bindings: Iterable<{ name: Name; keys: readonly string[] }>) {
    for (const { name, keys } of bindings) for (const key of keys) {
      this.#names.delete(key); // the one that means it now comes last
      this.#names.set(key, name);
    }
  }

  /** Every chord that means something. */
  get chords(): string[] {
    return [...this.#names.keys()];
  }

  /** The chords that mean an action. */
  keysOf(name: Name): string[] {
    return this.chords.filter((each) => this.#names.get(each) === name);
  }

  /** What the first of `chords` that has a meaning means. */
  meaning(chords: readonly string[]): Name | undefined {
    return chords.map((each) => this.#names.get(each)).find((each) => each !== undefined);
  }
}
