import { expect, it } from "vitest";
import { completeSignals, containedOf, plotExtent } from "./vega.ts";

const tuple = { name: "big_tuple", update: "big__vgsid_ !== null ? {fields: big_tuple_fields, values: [big__vgsid_]} : null" };
const fields = { name: "big_tuple_fields", value: [{ type: "E", field: "_vgsid_" }] };

it("adds the fields of a bound selection where Vega-Lite forgot them", () => {
  const marks = [{ signals: [tuple] }];
  expect(completeSignals({ signals: [{ name: "unit" }], marks })).toEqual({ signals: [{ name: "unit" }, fields], marks });
  expect(completeSignals({ marks })).toEqual({ signals: [fields], marks });
});

it("leaves alone what is defined", () => {
  const whole = { signals: [fields], marks: [{ signals: [tuple, { name: "other" }] }, {}] };
  expect(completeSignals(whole)).toEqual(whole);
});

it("knows lengths that are those of what is around", () => {
  const width = { name: "width", init: "isFinite(containerSize()[0]) ? containerSize()[0] : 300" };
  expect(containedOf({ signals: [width, { name: "height", update: "20 * 3" }] })).toEqual(["width"]);
  expect(containedOf({})).toEqual([]);
});

const CUSTOM = { width: 500, height: 300 };
const AROUND = { width: 60, height: 40 };

it.each([
  [600, 1000, 600],
  [600, 500, 440],
  [600, 150, 120],
  [90, 100, 90],
])("makes a plot of %i pixels fit into %i, with 60 around it, as far as it can be seen then", (width, room, narrowed) => {
  const own = { width, height: 200 };
  const fill = { own, sizing: { policy: "fill", custom: CUSTOM } } as const;
  expect(plotExtent({ ...fill, yields: true }, AROUND, room)).toEqual({ width: narrowed, height: 200 });
  expect(plotExtent({ ...fill, yields: false }, AROUND, room)).toEqual(own);
});

it("gives a plot the size with which its chart has the user's, or its own", () => {
  const drawn = { own: { width: 200, height: 100 }, yields: true };
  expect(plotExtent({ ...drawn, sizing: { policy: "made", custom: CUSTOM } }, AROUND, 50)).toEqual({ width: 200, height: 100 });
  expect(plotExtent({ ...drawn, sizing: { policy: "custom", custom: CUSTOM } }, AROUND, 50)).toEqual({ width: 440, height: 260 });
  expect(plotExtent({ ...drawn, sizing: { policy: "custom", custom: { width: 20, height: 300 } } }, AROUND, 50).width).toBe(10);
});

it("leaves alone the lengths of a plot that follow from its data", () => {
  const sizing = { policy: "custom", custom: CUSTOM } as const;
  expect(plotExtent({ own: { height: 100 }, yields: true, sizing }, AROUND, 50)).toEqual({ height: 260 });
  expect(plotExtent({ own: {}, yields: true, sizing: { ...sizing, policy: "fill" } }, AROUND, 50)).toEqual({});
});
