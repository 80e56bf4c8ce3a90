import { expect, it } from "vitest";
import { actionOf, BINDINGS, isPlain, isTyping } from "./keys.ts";

it.each([
  ["ArrowLeft", "previous"], ["ArrowUp", "previous"], ["k", "previous"], ["ArrowRight", "next"], ["ArrowDown", "next"], ["J", "next"],
  ["Home", "first"], ["End", "newest"], ["N", "newest"], ["PageUp", "back"], ["PageDown", "forward"],
  ["Delete", "remove"], ["x", "remove"], ["D", "remove"], ["h", "filmstrip"], ["T", "theme"], ["?", "help"],
])("%s means %s", (key, action) => {
  expect(actionOf(key)).toBe(action);
});

it("leaves every other key alone", () => {
  expect(["a", "Enter", "Tab", "Escape", " ", "F5"].map(actionOf)).toEqual(Array(6).fill(undefined));
});

it("gives no key two meanings", () => {
  const keys = BINDINGS.flatMap((each) => each.keys);
  expect(new Set(keys).size).toBe(keys.length);
});

it("does not take keys from who types, nor those with modifiers", () => {
  expect(isTyping(document.createElement("input"))).toBe(true);
  expect(isTyping(document.createElement("button"))).toBe(false);
  expect(isPlain(new KeyboardEvent("keydown", { key: "n", ctrlKey: true }))).toBe(false);
  expect(isPlain(new KeyboardEvent("keydown", { key: "n" }))).toBe(true);
});
