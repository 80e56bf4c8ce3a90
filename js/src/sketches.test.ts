import { beforeEach, expect, it, vi } from "vitest";
import type { FromFrame } from "./frame/channel.ts";
import type { Frame, Frames } from "./sandbox.ts";
import { Sketches } from "./sketches.ts";
import type { View } from "./view.ts";

const view = (id: number, mime = "image/svg+xml"): View =>
  ({ mime, output: { id, metadata: {}, data: { [mime]: { sha256: `${mime}${id}`, size: 9, url: `c/${id}` } } } }) as unknown as View;

let calm: boolean;
let made: number;
let silent: number;
let kept: number[];
let sketches: Sketches;

const frame = (): Frame => {
  made++;
  const fake = {
    events: undefined as { message(message: FromFrame): void } | undefined,
    dispose: () => {},
    send: ({ turn }: { turn: number }) => {
      if (silent-- <= 0) queueMicrotask(() => fake.events!.message({ type: "picture", turn, bytes: new ArrayBuffer(1) }));
    },
  };
  return fake as unknown as Frame;
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("<svg/>"));
  [calm, made, silent, kept] = [true, 0, 0, []];
  sketches = new Sketches(() => ({ extra: async () => frame() }) as unknown as Frames, () => calm, ({ output }) => kept.push(output.id));
});

it("draws what is wanted, the latest first, in one frame", async () => {
  for (const id of [1, 2, 3]) sketches.want(view(id));
  await vi.advanceTimersByTimeAsync(2000);
  expect(kept).toEqual([3, 2, 1]);
  expect(made).toBe(1);
});

it("waits until the user's own output is there", async () => {
  calm = false;
  sketches.want(view(1));
  await vi.advanceTimersByTimeAsync(1000);
  expect(kept).toEqual([]);
  calm = true;
  await vi.advanceTimersByTimeAsync(1000);
  expect(kept).toEqual([1]);
});

it("does not draw what nobody sees any more, nor the same twice, nor what makes no picture", async () => {
  sketches.want(view(1))();
  sketches.want(view(2, "text/html"));
  sketches.want(view(3));
  await vi.advanceTimersByTimeAsync(1000);
  sketches.want(view(3));
  await vi.advanceTimersByTimeAsync(1000);
  expect(kept).toEqual([3]);
});

it("tries once more what did not come in time, and then no more", async () => {
  silent = 1;
  sketches.want(view(1));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(kept).toEqual([1]);
  silent = 2;
  sketches.want(view(2));
  await vi.advanceTimersByTimeAsync(20_000);
  sketches.want(view(2));
  await vi.advanceTimersByTimeAsync(20_000);
  expect(kept).toEqual([1]);
  expect(made).toBe(4);
});
