import { expect, it } from "vitest";
import { ACTIONS, find, keymap } from "./actions.ts";

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
