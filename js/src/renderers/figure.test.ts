import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { FigureInfo, OutputRecord } from "../protocol.ts";
import { drawFirst, fit, LiveFigure, origin, sizeFor, storedMime, type Drawing, type Fate, type Size } from "./figure.ts";

const FILLING: FigureInfo = { id: "f", keeper: "k", size: [640, 480], dpi: 100, default_size: true };
const OWN: FigureInfo = { ...FILLING, size: [200, 400], default_size: false };
const STAGE = { width: 832, height: 632 };
const LIVE: Fate = { live: true, gone: false, reason: "" };
const GONE: Fate = { live: false, gone: true, reason: "no Python" };

it("lets a figure of default size fill the stage, and another keep its proportion", () => {
  expect(fit(FILLING, STAGE)).toEqual({ width: 800, height: 600, scale: 1 });
  expect(fit(OWN, STAGE)).toEqual({ width: 300, height: 600, scale: 1.5 });
});

it("never asks for nothing, however small the stage", () => {
  expect(fit(FILLING, { width: 0, height: 0 })).toEqual({ width: 50, height: 50, scale: 1 });
  expect(fit({ ...OWN, size: [1, 1000] }, { width: 0, height: 0 }).width).toBe(1);
});

it("keeps the letters of a filling figure as large as they are, and lets another grow as a whole", () => {
  expect(sizeFor(FILLING, fit(FILLING, STAGE), 2)).toEqual({ width: 1600, height: 1200, dpi: 200, margins: true });
  expect(sizeFor(OWN, fit(OWN, STAGE), 2)).toEqual({ width: 600, height: 1200, dpi: 300, margins: true });
});

it("never makes letters smaller than as made", () => {
  const small = fit(OWN, { width: 132, height: 232 });
  expect(small).toEqual({ width: 100, height: 200, scale: 1 });
  expect(sizeFor(OWN, small, 1).dpi).toBe(100);
});

it("lays a figure out as made, or as the user said", () => {
  const custom = { width: 500, height: 100 };
  expect(fit(FILLING, STAGE, { policy: "made", custom })).toEqual({ width: 640, height: 480, scale: 1 });
  expect(fit(OWN, STAGE, { policy: "custom", custom })).toEqual({ ...custom, scale: 1 });
});

it("draws what is zoomed sharp, in the same layout", () => {
  expect(sizeFor(FILLING, fit(FILLING, STAGE), 1, 2)).toEqual({ width: 1600, height: 1200, dpi: 200, margins: true });
});

it("asks for nothing that a browser cannot show or the hub refuses, in the same proportion", () => {
  const { width, height, dpi } = sizeFor(OWN, { width: 30_000, height: 60_000, scale: 150 }, 3);
  expect(Math.max(width, height)).toBeLessThanOrEqual(16_000);
  expect(height / width).toBeCloseTo(2, 2);
  expect(dpi / width).toBeCloseTo(100 / 200, 3);
  expect(sizeFor({ ...FILLING, dpi: 0.01 }, { ...STAGE, scale: 1 }, 1).dpi).toBe(1);
});

it("shows the SVG of a figure that nobody can draw anew, where there is one", () => {
  const output = (...mimetypes: string[]) => ({ mimetypes }) as unknown as OutputRecord;
  expect(storedMime(output("image/png", "image/svg+xml", "text/plain"))).toBe("image/svg+xml");
  expect(storedMime(output("image/png", "text/plain"))).toBe("image/png");
});

it("says where the picture comes from", () => {
  expect(origin("image/png", LIVE)).toBe("drawn anew");
  expect(origin("image/svg+xml", LIVE)).toBe("");
  expect(origin("image/svg+xml", GONE)).toBe("from its SVG, since its environment is gone");
  expect(origin("image/png", GONE)).toBe("as stored, since its environment is gone");
  expect(origin("image/svg+xml", { ...GONE, gone: false })).toBe("from its SVG");
  expect(origin("text/plain", GONE)).toBe("");
});

// -- a figure in a stage ----------------------------------------------------------------------------------------------

interface Asked {
  size: Size;
  signal: AbortSignal;
  answer(drawing: Drawing): Promise<void>;
  fail(error: Error): Promise<void>;
}

let asked: Asked[];
let told: Fate[];
let size: Size | null;
let image: HTMLImageElement;
let figure: LiveFigure | undefined;

const SIZE: Size = { width: 800, height: 600, dpi: 100 };

function show(info: FigureInfo): void {
  const draw = (_: OutputRecord, size: Size, signal: AbortSignal) =>
    new Promise<Drawing>((resolve, reject) => {
      const settle = (end: () => void) => (end(), vi.advanceTimersByTimeAsync(0).then(() => {}));
      asked.push({ size, signal, answer: (drawing) => settle(() => resolve(drawing)), fail: (error) => settle(() => reject(error)) });
    });
  figure = new LiveFigure(image, { figure: info } as OutputRecord, () => size, draw, (fate) => told.push(fate));
}

function resize(width: number): void {
  size = { ...SIZE, width };
  figure!.resized();
}

const drawing = (fate: Fate): Drawing => ({ ...fate, blob: new Blob(["png"], { type: "image/png" }) });

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(HTMLImageElement.prototype, "decode").mockResolvedValue();
  [asked, told] = [[], []];
  [size, image] = [SIZE, document.createElement("img")];
});

afterEach(() => {
  figure?.end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it("asks at once, shows what came, and says that it is drawn anew", async () => {
  show(FILLING);
  expect(asked[0]!.size).toEqual(SIZE);
  await asked[0]!.answer(drawing(LIVE));
  expect(image.src).toMatch(/^blob:/);
  expect(told).toEqual([LIVE]);
});

it("asks once the size is calm", async () => {
  show(FILLING);
  for (const width of [900, 950, 1000]) resize(width);
  expect(asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(20);
  expect(asked).toHaveLength(2);
  expect(asked[0]!.signal.aborted).toBe(true);
  expect(asked[1]!.size.width).toBe(1000);
  await asked[0]!.answer(drawing(LIVE));
  expect(told).toEqual([]);
});

it("does not ask for a figure that is slow to draw on every drag", async () => {
  show({ ...FILLING, seconds: 4 });
  resize(1000);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(300);
  expect(asked).toHaveLength(2);
});

it("does not ask twice for one size", async () => {
  show(FILLING);
  figure!.resized();
  await vi.advanceTimersByTimeAsync(20);
  expect(asked).toHaveLength(1);
});

it("leaves the stored picture where nothing can be drawn, and says why", async () => {
  show(FILLING);
  await asked[0]!.answer(drawing(GONE));
  expect(image.src).toBe("");
  expect(told).toEqual([GONE]);
});

it("asks again for a size that failed", async () => {
  show(FILLING);
  await asked[0]!.fail(new Error("no hub"));
  expect(told).toEqual([{ live: false, gone: false, reason: "no hub" }]);
  figure!.resized();
  await vi.advanceTimersByTimeAsync(20);
  expect(asked).toHaveLength(2);
});

it("waits for a stage that has no size yet", () => {
  size = null;
  show(FILLING);
  expect(asked).toHaveLength(0);
});

it("says nothing once it has ended", async () => {
  show(FILLING);
  figure!.end();
  await asked[0]!.answer(drawing(LIVE));
  expect([told, image.src]).toEqual([[], ""]);
});

// -- before there is a stored picture ---------------------------------------------------------------------------------

const answering = (given: Drawing) => async (): Promise<Drawing> => given;
const output = { figure: FILLING } as OutputRecord;

it("draws a figure for the stage before its picture is stored, and asks for that size only once", async () => {
  const kept: string[] = [];
  vi.spyOn(HTMLImageElement.prototype, "onload", "set").mockImplementation((heard) => heard!.call(image, new Event("load")));
  const first = await drawFirst(output, SIZE, answering(drawing(LIVE)), (url) => kept.push(url), new AbortController().signal);
  expect([first.fate, kept]).toEqual([LIVE, [first.image.src]]);
  figure = new LiveFigure(first.image, output, () => SIZE, async () => expect.unreachable(), (fate) => told.push(fate), first.asked);
});

it("has nothing to show before the stored picture where nobody draws", async () => {
  await expect(drawFirst(output, SIZE, answering(drawing(GONE)), () => expect.unreachable(), new AbortController().signal)).rejects.toThrow("no Python");
});
