import { expect, it } from "vitest";
import { Marks } from "./marks.svelte.ts";

it("marks and unmarks one by one, in the order of the marking", () => {
  const marks = new Marks();
  for (const id of [5, 2, 9, 2]) marks.toggle(id);
  expect(marks.ids).toEqual([5, 9]);
  expect([marks.has(5), marks.has(2)]).toEqual([true, false]);
});

it("marks a range as it is listed, in either direction", () => {
  const marks = new Marks();
  marks.toggle(9);
  marks.range(7, 2, [1, 2, 5, 7, 9]);
  expect(marks.ids).toEqual([9, 2, 5, 7]);
});

it("forgets what is gone", () => {
  const marks = new Marks();
  marks.range(1, 3, [1, 2, 3]);
  marks.keep((id) => id !== 2);
  expect(marks.ids).toEqual([1, 3]);
});
