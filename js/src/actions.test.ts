import { expect, it, vi } from "vitest";
import { action, ACTIONS, applies, find, keymapOf, offered, type ActionName } from "./actions.ts";
import type { Pane } from "./pane.svelte.ts";

const keymap = keymapOf();

it.each([
  ["ArrowLeft", "previous"], ["ArrowUp", "previous"], ["k", "previous"], ["ArrowRight", "next"], ["ArrowDown", "next"], ["j", "next"],
  ["Home", "first"], ["End", "newest"], ["n", "newest"], ["PageUp", "back"], ["PageDown", "forward"], ["Backspace", "remove"],
  ["Delete", "remove"], ["x", "remove"], ["d", "remove"], ["h", "filmstrip"], ["t", "theme"], ["?", "help"],
])("%s means %s", (key, name) => {
  expect(keymap.meaning([key])).toBe(name);
});

it("leaves every other key alone", () => {
  expect(["Enter", "Tab", " ", "F5"].map((key) => keymap.meaning([key]))).toEqual(Array(4).fill(undefined));
});

it("gives no key two meanings and no two actions one name", () => {
  const keys = ACTIONS.flatMap((each) => each.keys);
  expect(new Set(keys).size).toBe(keys.length);
  expect(new Set(ACTIONS.map(({ name }) => name)).size).toBe(ACTIONS.length);
});

it("finds actions by the beginnings of their words, else by parts of them", () => {
  const names = (words: string) => find(ACTIONS, words).map(({ name }) => name);
  expect(names("first out")).toEqual(["first"]);
  expect(names("step same")).toEqual(["link-versions"]);
  expect(names("ilmstrip lef")).toEqual(["strip-left"]);
  expect(names("")).toHaveLength(ACTIONS.length);
  expect(names("xyz")).toEqual([]);
});

// Each action of httpgd's client and of Positron's Plots pane, and ours for it; keys where the two have them.
it.each([
  ["httpgd: previous plot", "previous", "ArrowLeft"], ["httpgd: next plot", "next", "ArrowRight"], ["httpgd: newest plot", "newest", "n"],
  ["httpgd: zoom in", "zoom-in", "+"], ["httpgd: zoom in", "zoom-in", "="], ["httpgd: zoom out", "zoom-out", "-"], ["httpgd: zoom reset", "zoom-reset", "0"],
  ["httpgd: delete the shown plot", "remove", "d"], ["httpgd: delete the shown plot", "remove", "Delete"], ["httpgd: clear all", "clear", "Alt+d"],
  ["httpgd: download SVG", "save-svg", "s"], ["httpgd: download PNG", "save-png", "p"], ["httpgd: copy PNG", "copy", "c"],
  ["httpgd: export dialog", "export", "e"], ["httpgd: history sidebar", "filmstrip", "h"], ["httpgd: light or dark", "theme", "t"], ["httpgd: shortcuts", "help", "?"],
  ["Positron: previous by k", "previous", "k"], ["Positron: next by j", "next", "j"], ["Positron: remove by x", "remove", "x"],
  ["Positron: remove by Backspace", "remove", "Backspace"], ["Positron: save plot", "save-png", ""], ["Positron: copy plot", "copy", ""],
  ["Positron: zoom to fit", "size-fill", ""], ["Positron: zoom to 50 %", "zoom-50", ""], ["Positron: zoom to 75 %", "zoom-75", ""],
  ["Positron: zoom to 100 %", "zoom-100", ""], ["Positron: zoom to 200 %", "zoom-200", ""], ["Positron: sizing policy intrinsic", "size-made", ""],
  ["Positron: sizing policy custom", "size-custom", ""], ["Positron: sizing policy fill", "size-fill", ""], ["Positron: copy code", "copy-code", ""],
  ["Positron: run code again", "copy-command", ""],
  ["Positron: open source file", "edit-source", ""], ["Positron: open in a new window or editor tab", "open-tab", ""],
  ["Positron: gallery", "gallery", ""], ["Positron: dark filter off", "dark-off", ""], ["Positron: dark filter on", "dark-on", ""],
  ["Positron: dark filter follows the theme", "dark-follow", ""], ["Positron: history hidden", "filmstrip", ""], ["Positron: clear all", "clear", ""],
])("has an action for %s", (_, name, key) => {
  expect(ACTIONS.map((each) => each.name)).toContain(name);
  if (key) expect(keymap.meaning([key])).toBe(name);
});

it("lets the user's own keys go before those of the table", () => {
  const own = keymapOf({ next: ["l", "t"] });
  expect(["l", "t", "j", "k"].map((key) => own.meaning([key]))).toEqual(["next", "next", undefined, "previous"]);
  expect(own.keysOf("next")).toEqual(["l", "t"]);
  expect(own.keysOf("theme")).toEqual([]);
});

it("offers no change by a link that looks, and no way to others by one to a single output", () => {
  const hidden = (feed: { changes: boolean; others: boolean }) => ACTIONS.filter((each) => !offered(each, { feed } as Pane)).map(({ name }) => name);
  expect(hidden({ changes: true, others: true })).toEqual([]);
  expect(hidden({ changes: false, others: true })).toEqual(["rename", "note", "pin", "remove", "network", "undo", "clear", "clear-session", "trash"]);
  expect(hidden({ changes: true, others: false })).toEqual(
    ["search", "search-pinned", "search-kind", "search-session", "search-day", "everything", "copy-place", "edit-source", "changes", "runs", "clear", "clear-session", "trash", "stack-runs"],
  );
});

const does = (name: ActionName, pane: object): boolean => {
  const can = applies(action(name), pane as Pane);
  if (can) action(name).run(pane as Pane);
  return can;
};

const ANY = { changes: true, others: true };

it("narrows the search to what the output shown is, and widens it again", () => {
  const search = { pinned: false, kind: "", session: "", age: "" };
  const startSearch = vi.fn();
  const shown = { session: "s1", mimetypes: ["text/plain", "text/html"] };
  const pane = { feed: ANY, search, screen: { startSearch }, outputs: { shown } };
  const all = ["search-pinned", "search-kind", "search-session", "search-day"] as const;
  expect(all.map((name) => does(name, pane))).toEqual([true, true, true, true]);
  expect(search).toEqual({ pinned: true, kind: "HTML", session: "s1", age: "1" });
  expect(all.every((name) => action(name).checked!(pane as unknown as Pane))).toBe(true);
  for (const name of all) does(name, pane);
  expect(search).toEqual({ pinned: false, kind: "", session: "", age: "" });
  expect(startSearch).toHaveBeenCalledTimes(8);
  expect(does("search-kind", { ...pane, outputs: {} })).toBe(false);
});

it("switches between its own project and everything, where it has one", () => {
  const showEverything = vi.fn();
  expect(does("everything", { feed: ANY, ownProject: null })).toBe(false);
  for (const project of ["/p", null]) does("everything", { feed: ANY, ownProject: "/p", outputs: { project }, showEverything });
  expect(showEverything.mock.calls).toEqual([[true], [false]]);
});

it("takes out of a comparison what is meant there, and stops what does not answer", () => {
  const [toggle, stop] = [vi.fn(), vi.fn()];
  const stage = { shown: { output: { id: 7 } }, stuck: true, stop };
  const pane = { feed: ANY, screen: { comparing: "side" }, marks: { toggle }, stage };
  expect([does("take-out", pane), does("stop", pane)]).toEqual([true, true]);
  expect([toggle.mock.calls, stop.mock.calls]).toEqual([[[7]], [[]]]);
  expect([does("take-out", { ...pane, screen: { comparing: null } }), does("stop", { ...pane, stage: { stuck: false } })]).toEqual([false, false]);
});
