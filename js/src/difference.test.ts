import { expect, it } from "vitest";
import { difference, pictureOf, says } from "./difference.ts";

const pixels = (...values: number[]) => new Uint8ClampedArray(values);

it("finds nothing in two pictures that are alike, whatever their encoders did", () => {
  expect(difference(pixels(10, 20, 30, 255), pixels(11, 19, 30, 255)).share).toBe(0);
});

it("counts the pixels that differ and marks them", () => {
  const { share, pixels: drawn } = difference(pixels(255, 255, 255, 255, 0, 0, 0, 255), pixels(255, 255, 255, 255, 255, 255, 255, 255));
  expect(share).toBe(0.5);
  expect([...drawn.slice(0, 4)]).toEqual([255, 255, 255, 255]);
  expect([...drawn.slice(4, 8)]).toEqual([214, 40, 57, 255]);
});

it("gives what a canvas shows as a picture, and as nothing else", async () => {
  const canvas = { toBlob: (done: BlobCallback, type: string) => done(new Blob(["seen"], { type })) } as HTMLCanvasElement;
  expect(await (await pictureOf(canvas, "png")).text()).toBe("seen");
  await expect(pictureOf(canvas, "svg")).rejects.toThrow("cannot be taken as SVG");
});

it.each([[0, "No pixel differs"], [0.00001, "Less than 0.01 % of the pixels differ"], [0.005, "0.50 % of the pixels differ"], [0.5, "50.0 % of the pixels differ"]])("says %d", (share, text) => {
  expect(says(share)).toBe(text);
});
