import { expect, it } from "vitest";
import { inked } from "./page.ts";

/** Pixels as a picture of letters; a dot is paper. */
const drawn = (...rows: string[]): [Uint32Array, number] => [Uint32Array.from(rows.join(""), (each) => (each === "." ? 7 : 1)), rows[0]!.length];

it.each([
  { rows: ["....", ".x..", "...."], box: { x: 1, y: 1, width: 1, height: 1 } },
  { rows: ["...x", "....", "x..."], box: { x: 0, y: 0, width: 4, height: 3 } },
  { rows: ["....", ".xx.", "..x.", "...."], box: { x: 1, y: 1, width: 2, height: 2 } },
  { rows: ["..x.", "x...", ".x.."], box: { x: 0, y: 0, width: 3, height: 3 } },
])("finds what there is to see in $rows", ({ rows, box }) => {
  expect(inked(...drawn(...rows), 7, 0)).toEqual(box);
});

it("leaves a margin around it, as far as there is room", () => {
  expect(inked(...drawn("x.....", "......", "......"), 7, 1)).toEqual({ x: 0, y: 0, width: 2, height: 2 });
  expect(inked(...drawn("......", "...x..", "......"), 7, 2)).toEqual({ x: 1, y: 0, width: 5, height: 3 });
});

it("finds nothing on empty paper", () => {
  expect(inked(...drawn("...", "..."), 7, 1)).toBeNull();
});
