import { expect, it } from "vitest";
import { completeSignals, plotWidth } from "./vega.ts";

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

it.each([
  [600, 60, 1000, 600],
  [600, 60, 500, 440],
  [600, 60, 150, 120],
  [90, 60, 100, 90],
])("makes a plot of %i pixels, with %i around it, fit into %i as far as it can be seen then", (own, around, room, width) => {
  expect(plotWidth(own, around, room)).toBe(width);
});
