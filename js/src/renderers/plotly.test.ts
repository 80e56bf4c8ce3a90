import { expect, it } from "vitest";
import { extentOf } from "./plotly.ts";

const CUSTOM = { width: 500, height: 300 };

it.each([
  [{}, "fill", {}],
  [{ width: 400 }, "fill", { width: 400 }],
  [{ width: 400, height: 200 }, "fill", { width: 400, height: 200 }],
  [{}, "made", { width: 700, height: 450 }],
  [{ width: 400 }, "made", { width: 400, height: 450 }],
  [{ width: 400, height: 200 }, "custom", CUSTOM],
] as const)("gives a figure of %o the size for %s", (own, policy, extent) => {
  expect(extentOf(own, { policy, custom: CUSTOM })).toEqual(extent);
});
