import { expect, it } from "vitest";
import { ACTIONS, keymap } from "./actions.ts";

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
