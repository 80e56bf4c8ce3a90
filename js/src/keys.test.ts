import { expect, it, vi } from "vitest";
import { chordFrom, chordsOf, isTyping, Keymap, shownChord } from "./keys.ts";

vi.spyOn(KeyboardEvent.prototype, "getModifierState").mockReturnValue(false); // the test DOM takes Alt for AltGr

const press = (key: string, fields: KeyboardEventInit = {}) => chordsOf(new KeyboardEvent("keydown", { key, ...fields }));

it("writes letters in either case alike, unless Shift has a meaning of its own", () => {
  expect(press("k")).toEqual(["k"]);
  expect(press("K")).toEqual(["k"]);
  expect(press("T", { shiftKey: true })).toEqual(["Shift+t", "t"]);
  expect(press("ArrowLeft", { shiftKey: true })).toEqual(["Shift+ArrowLeft", "ArrowLeft"]);
});

it("takes Shift for a part of the characters that need it", () => {
  expect(press("?", { shiftKey: true })).toEqual(["?"]);
  expect(press("+", { shiftKey: true })).toEqual(["+"]);
});

it("writes Ctrl and Cmd alike, and Alt by the key itself", () => {
  expect(press("k", { ctrlKey: true })).toEqual(["Mod+k"]);
  expect(press("k", { metaKey: true })).toEqual(["Mod+k"]);
  expect(press("∂", { altKey: true, code: "KeyD" })).toEqual(["Alt+d"]);
});

it("leaves alone what is composed, used already, or for the browser", () => {
  expect(press("a", { isComposing: true })).toEqual([]);
  expect(press("d", { ctrlKey: true, altKey: true })).toEqual([]);
  const used = new KeyboardEvent("keydown", { key: "k", cancelable: true });
  used.preventDefault();
  expect(chordsOf(used)).toEqual([]);
});

it("does not take keys from who types", () => {
  expect(isTyping(document.createElement("input"))).toBe(true);
  expect(isTyping(document.createElement("button"))).toBe(false);
});

it.each([
  ["ArrowLeft", "←"], ["k", "K"], ["Mod+k", "Ctrl K"], ["Shift+t", "Shift T"], ["+", "+"], ["-", "−"], ["Alt+d", "Alt D"], ["Delete", "Del"],
])("shows %s as %s", (chord, shown) => {
  expect(shownChord(chord, false)).toBe(shown);
});

it("shows the modifiers of a Mac", () => {
  expect(shownChord("Mod+Shift+k", true)).toBe("⌘ ⇧ K");
});

it("means what the most specific chord means", () => {
  const keymap = new Keymap([{ name: "theme", keys: ["t"] }, { name: "dark", keys: ["Shift+t"] }]);
  expect(keymap.meaning(["Shift+t", "t"])).toBe("dark");
  expect(keymap.meaning(["Shift+k", "k"])).toBeUndefined();
  expect(keymap.chords).toEqual(["t", "Shift+t"]);
});

it.each([["Ctrl+K", "Mod+k"], ["l", "l"], ["L", "l"], ["shift+ArrowUp", "Shift+ArrowUp"], ["cmd+shift+z", "Mod+Shift+z"], ["+", "+"], ["Ctrl++", "Mod++"]])("reads %s as %s", (text, chord) => {
  expect(chordFrom(text)).toBe(chord);
});
