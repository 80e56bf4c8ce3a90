import { expect, it } from "vitest";
import { held, HOME, layoutFlowing, layoutImage, magnification, step, zoomed, type Layout } from "./camera.ts";

const STAGE = { width: 832, height: 632 };
const CUSTOM = { width: 400, height: 400 };
const LAYOUT: Layout = { width: 800, height: 600, scale: 0.5 };
const MIDDLE = { x: 0, y: 0 };

it("shrinks an image to the stage but never blows it up", () => {
  expect(layoutImage({ width: 1600, height: 600 }, STAGE, { policy: "fill", custom: CUSTOM })).toEqual({ width: 800, height: 300, scale: 0.5 });
  expect(layoutImage({ width: 100, height: 50 }, STAGE, { policy: "fill", custom: CUSTOM })).toEqual({ width: 100, height: 50, scale: 1 });
});

it("leaves an image as it was made, or fits it into the user's size", () => {
  expect(layoutImage({ width: 1600, height: 600 }, STAGE, { policy: "made", custom: CUSTOM }).scale).toBe(1);
  expect(layoutImage({ width: 100, height: 50 }, STAGE, { policy: "custom", custom: CUSTOM })).toEqual({ width: 400, height: 200, scale: 4 });
});

it("lets what flows have the user's width as far as the stage is wide, and all its height", () => {
  expect(layoutFlowing(STAGE, { policy: "made", custom: CUSTOM })).toEqual({ ...STAGE, scale: 1 });
  expect(layoutFlowing(STAGE, { policy: "custom", custom: CUSTOM })).toEqual({ width: 400, height: 632, scale: 1 });
  expect(layoutFlowing(STAGE, { policy: "custom", custom: { width: 900, height: 1 } }).width).toBe(832);
});

it("keeps what is under the pointer where it is", () => {
  const point = { x: 100, y: -50 };
  const camera = zoomed(HOME, 2, point, LAYOUT, STAGE);
  expect(camera).toEqual({ zoom: 2, x: -100, y: 50 });
});

it("zooms neither beyond sixteen times as made nor below a tenth", () => {
  expect(magnification(LAYOUT, zoomed(HOME, 1000, MIDDLE, LAYOUT, STAGE))).toBe(16);
  expect(magnification(LAYOUT, zoomed(HOME, 0.001, MIDDLE, LAYOUT, STAGE))).toBeCloseTo(0.1);
});

it("keeps a picture in the middle unless it is larger than the stage, and never lets it go", () => {
  expect(held({ zoom: 1, x: 300, y: -20 }, LAYOUT, STAGE)).toEqual(HOME);
  const { x, y } = held({ zoom: 2, x: 5000, y: -5000 }, LAYOUT, STAGE);
  expect([x, y]).toEqual([400, -300]);
});

it("stops at round numbers", () => {
  expect(0.8 * step(1, 0.8)).toBeCloseTo(0.9);
  expect(step(-1, 1)).toBeCloseTo(0.9);
  expect(1.25 * step(1, 1.25)).toBeCloseTo(1.5);
  expect(step(1, 16)).toBe(1);
  expect(step(-1, 0.1)).toBe(1);
});
