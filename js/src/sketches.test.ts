import { beforeEach, expect, it, vi } from "vitest";
import type { FromFrame, ToFrame } from "./frame/channel.ts";
import type { Frame, Frames } from "./sandbox.ts";
import { Sketches, type Around } from "./sketches.ts";
import type { View } from "./view.ts";

const view = (id: number, mime = "image/svg+xml"): View =>
  ({ mime, output: { id, metadata: {}, data: { [mime]: { sha256: `${mime}${id}`, size: 9, url: `c/${id}` } } } }) as unknown as View;

let calm: boolean;
let made: number;
let silent: number;
let kept: number[];
let around: Around;
let sketches: Sketches;

/** How a frame answers. Of SVG it sends a picture unasked. */
const ANSWERS: { [T in ToFrame["type"]]?: (said: Extract<ToFrame, { type: T }>) => FromFrame } = {
  render: ({ turn, mime }) => (mime === "image/svg+xml" ? { type: "picture", turn, bytes: new ArrayBuffer(1) } : { type: "ready", turn }),
  snapshot: ({ number, shot }) => ({ type: "snapshot", number, bytes: shot.small ? new ArrayBuffer(1) : null, problem: "" }),
};

const frame = (): Frame => {
  made++;
  const fake = {
    events: undefined as { message(message: FromFrame): void } | undefined,
    dispose: () => {},
    send: (said: ToFrame) => {
      if (silent-- <= 0) queueMicrotask(() => fake.events!.message(ANSWERS[said.type]!(said as never)));
    },
  };
  return fake as unknown as Frame;
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("<svg/>"));
  [calm, made, silent, kept] = [true, 0, 0, []];
  around = {
    frames: () => ({ extra: async () => frame() }) as unknown as Frames,
    calm: () => (calm ? Infinity : 0), theme: () => "light", shown: () => undefined, keep: ({ output }) => kept.push(output.id),
    comms: () => expect.unreachable("only widgets speak"),
  };
  sketches = new Sketches(around);
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
  sketches.want(view(2, "text/plain"));
  sketches.want(view(3));
  await vi.advanceTimersByTimeAsync(1000);
  sketches.want(view(3));
  await vi.advanceTimersByTimeAsync(1000);
  expect(kept).toEqual([3]);
});

it("tries once more what did not come in time, and then no more", async () => {
  silent = 1;
  sketches.want(view(1));
  await vi.advanceTimersByTimeAsync(30_000);
  expect(kept).toEqual([1]);
  silent = 2;
  sketches.want(view(2));
  await vi.advanceTimersByTimeAsync(60_000);
  sketches.want(view(2));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(kept).toEqual([1]);
  expect(made).toBe(4);
});

it("does the others before it tries one again", async () => {
  silent = 1;
  for (const id of [1, 2, 3]) sketches.want(view(id));
  await vi.advanceTimersByTimeAsync(30_000);
  expect(kept).toEqual([2, 1, 3]);
});

it("gives each page a frame of its own, since pages run what they want", async () => {
  for (const id of [1, 2]) sketches.want(view(id, "text/html"));
  for (const id of [3, 4]) sketches.want(view(id, "text/markdown"));
  await vi.advanceTimersByTimeAsync(4000);
  expect(kept).toEqual([4, 3, 2, 1]);
  expect(made).toBe(3);
});

it("lets pages wait until nothing else happens", async () => {
  sketches.want(view(1));
  sketches.want(view(2, "text/html"));
  await vi.advanceTimersByTimeAsync(1000);
  expect(kept).toEqual([1]);
  sketches.want(view(3, "text/html"));
  await vi.advanceTimersByTimeAsync(1500);
  expect(kept).toEqual([1]);
  await vi.advanceTimersByTimeAsync(1500);
  expect(kept).toEqual([1, 3, 2]);
});

it("draws nothing anew that is shown already", async () => {
  around.shown = async () => new Blob(["png"]);
  sketches.want(view(1, "text/html"));
  await vi.advanceTimersByTimeAsync(3000);
  expect(kept).toEqual([1]);
  expect(made).toBe(0);
});

it("takes no picture that is not small", async () => {
  around.shown = async () => new Blob([new Uint8Array(2 ** 21)]);
  sketches.want(view(1, "text/html"));
  await vi.advanceTimersByTimeAsync(3000);
  expect(kept).toEqual([]);
});

it("waits until the filmstrip stands still", async () => {
  for (let id = 1; id <= 20; id++) {
    sketches.want(view(id));
    await vi.advanceTimersByTimeAsync(50);
  }
  expect(kept).toEqual([]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(kept[0]).toBe(20);
});
