import { beforeEach, expect, it, vi } from "vitest";
import { Backstage } from "./backstage.ts";
import type { FromFrame } from "./frame/channel.ts";
import type { Frame, FrameEvents, Frames } from "./sandbox.ts";
import type { View } from "./view.ts";

const PLOTLY = "application/vnd.plotly.v1+json";
const EXTENT = { width: 800, height: 600 };

const view = (id: number, mime = PLOTLY, size = 9): View =>
  ({ mime, output: { id, version: 1, session: "a", metadata: {}, data: { [mime]: { sha256: `${id}`, size, url: `c/${id}` } } } }) as unknown as View;

interface Fake {
  events?: FrameEvents;
  sent: { turn: number }[];
  gone: boolean;
}

let made: Fake[];
let released: Frame[];
let backstage: Backstage;
/** What frames answer with, if they do. */
let answer: "ready" | "failed" | null;

function frame(): Frame {
  const fake = {
    sent: [] as { turn: number }[],
    gone: false,
    stuck: false,
    events: undefined as FrameEvents | undefined,
    setTheme: () => {},
    dispose: () => void (fake.gone = true),
    send: (message: { turn: number }) => {
      fake.sent.push(message);
      if (answer) queueMicrotask(() => fake.events!.message({ type: answer!, turn: message.turn, message: "" } as FromFrame));
    },
  };
  made.push(fake);
  return fake as unknown as Frame;
}

const frames = {
  park: () => true,
  aside: async () => released.pop() ?? frame(),
  release: (each: Frame) => void released.push(each),
} as unknown as Frames;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("{}"));
  [made, released, answer] = [[], [], "ready"];
  backstage = new Backstage(frames, () => {});
});

const draw = async (...views: View[]): Promise<void> => {
  void backstage.draw(views, EXTENT, "light");
  await vi.advanceTimersByTimeAsync(200);
};

it("draws the two likeliest that take long, and gives each away once", async () => {
  await draw(view(1), view(2, "text/html"), view(3), view(4));
  expect(made).toHaveLength(2);
  expect(backstage.take(view(1))).toMatchObject({ drawn: true });
  expect(backstage.take(view(1))).toBeUndefined();
  expect(backstage.take(view(3))?.drawn).toBe(true);
});

it("draws nothing while a key is held down", async () => {
  for (const id of [1, 2, 3, 4]) void backstage.draw([view(id)], EXTENT, "light");
  await vi.advanceTimersByTimeAsync(200);
  expect(made).toHaveLength(1);
  expect(backstage.take(view(4))).toBeDefined();
});

it("leaves what is very large until somebody comes", async () => {
  await draw(view(1, PLOTLY, 5 * 2 ** 20));
  expect(made).toEqual([]);
});

it("gives away what is still being drawn", async () => {
  answer = null;
  await draw(view(1));
  const scene = backstage.take(view(1))!;
  expect(scene.drawn).toBe(false);
  expect(scene.turn).toBe((made[0]!.sent[0]!).turn);
});

it("keeps nothing of what failed", async () => {
  answer = "failed";
  await draw(view(1));
  expect(made[0]!.gone).toBe(true);
  expect(backstage.take(view(1))).toBeUndefined();
});

it("keeps the last that was left, and draws the next in the frame of the one before it", async () => {
  backstage.keep(view(1), frame());
  backstage.keep(view(2), frame());
  await draw(view(3));
  expect(made).toHaveLength(2);
  expect(backstage.take(view(2))?.drawn).toBe(true);
  expect(backstage.take(view(1))).toBeUndefined();
});

it("never holds more frames than it needs, however many outputs go by", async () => {
  let shown = frame();
  for (let id = 1; id < 30; id++) {
    await draw(view(id + 1), view(id + 2));
    const next = backstage.take(view(id + 1))!.frame;
    backstage.keep(view(id), shown);
    shown = next;
  }
  expect(made.filter(({ gone }) => !gone).length).toBeLessThanOrEqual(5);
});

it("takes another version for another view", async () => {
  await draw(view(1));
  const newer = view(1);
  expect(backstage.take({ ...newer, output: { ...newer.output, version: 2 } })).toBeUndefined();
});

it("ends with all that it has", async () => {
  await draw(view(1), view(2));
  backstage.end();
  expect(made.every(({ gone }) => gone)).toBe(true);
});
