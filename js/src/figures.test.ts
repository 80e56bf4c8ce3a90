import { beforeEach, expect, it, vi } from "vitest";
import type { Api } from "./api.ts";
import { Figures } from "./figures.svelte.ts";
import type { OutputRecord } from "./protocol.ts";

const SIZE = { width: 640, height: 480, dpi: 100 };
const PNG = new Blob(["png"]);
const figure = (version = 1): OutputRecord => ({ id: 1, version, figure: { keeper: "k" } }) as OutputRecord;
const signal = new AbortController().signal;

const drawing = vi.fn();
const rendering = vi.fn(async () => new Blob(["rendered"]));
let figures: Figures;

beforeEach(() => {
  vi.clearAllMocks();
  drawing.mockResolvedValue({ blob: PNG, live: true, gone: false, reason: "" });
  figures = new Figures({ drawing, rendering } as unknown as Api);
});

it("asks for a figure once in each size and version", async () => {
  for (const output of [figure(), figure(), figure(2)]) await figures.draw(output, SIZE, signal);
  expect(drawing).toHaveBeenCalledTimes(2);
});

it("knows from the first drawing on that its keeper runs", async () => {
  expect(figures.canDraw(figure())).toBe(false);
  await figures.draw(figure(), SIZE, signal);
  expect(figures.canDraw(figure())).toBe(true);
});

it("keeps no stored picture in place of a drawing", async () => {
  drawing.mockResolvedValue({ blob: PNG, live: false, gone: true, reason: "its environment is gone" });
  await figures.draw(figure(), SIZE, signal);
  expect([figures.canDraw(figure()), figures.drawing(figure(), SIZE)]).toEqual([false, undefined]);
});

it("gives away what was drawn already, and has anything else drawn", async () => {
  await figures.draw(figure(), SIZE, signal);
  expect(await figures.render(figure(), "image/png", SIZE)).toBe(PNG);
  for (const [mime, size] of [["image/svg+xml", SIZE], ["image/png", { ...SIZE, transparent: true }]] as const) {
    expect(await figures.render(figure(), mime, size)).not.toBe(PNG);
  }
});

it("tells what came of drawing this version of this figure, and of nothing else", () => {
  const fate = { live: false, gone: true, reason: "" };
  figures.learn(figure(2), fate);
  expect([figures.fateOf(figure(2)), figures.fateOf(figure(3)), figures.fateOf({ ...figure(2), figure: null } as OutputRecord)]).toEqual([fate, null, null]);
});
