import { expect, it } from "vitest";
import { reveal, visible } from "./slice.ts";

it("draws a screenful of ten thousand, and a little more", () => {
  expect(visible(50_000, 1000, 100, 10_000)).toEqual({ start: 496, end: 514 });
});

it("does not go beyond the ends", () => {
  expect(visible(0, 1000, 100, 3)).toEqual({ start: 0, end: 3 });
  expect(visible(9_999_999, 1000, 100, 3)).toEqual({ start: 3, end: 3 });
  expect(visible(0, 0, 100, 0)).toEqual({ start: 0, end: 0 });
});

it("scrolls no further than needed to bring an item into view", () => {
  expect(reveal(5, 0, 1000, 100)).toBe(0);
  expect(reveal(20, 0, 1000, 100)).toBe(1100);
  expect(reveal(2, 1000, 1000, 100)).toBe(200);
});
