import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { OutputRecord, VersionRecord } from "./protocol.ts";
import { Scrubber } from "./scrubber.svelte.ts";

const versions = (from: number, to: number): VersionRecord[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ version: from + i, created: `t${from + i}`, size: i, mimetypes: ["image/png"], data: {} }) as VersionRecord);

let newest: number;
let asked: number;
let scrubber: Scrubber;
const output = (id = 1): OutputRecord => ({ id, version: newest, updated: "now", data: {}, mimetypes: [] }) as unknown as OutputRecord;

beforeEach(() => {
  vi.useFakeTimers();
  [newest, asked] = [5, 0];
  scrubber = new Scrubber(async () => (asked++, versions(2, newest)));
});

afterEach(() => vi.useRealTimers());

it("shows the newest as long as nobody goes back, and asks for nothing", () => {
  const now = output();
  expect(scrubber.seen(now)).toBe(now);
  expect(asked).toBe(0);
});

it("tells the first version that is kept, and the newest", async () => {
  expect([scrubber.isAtEnd(output(), -1), scrubber.isAtEnd(output(), 1)]).toEqual([false, true]);
  await scrubber.look(output(), 2);
  expect([scrubber.isAtEnd(output(), -1), scrubber.isAtEnd(output(), 1)]).toEqual([true, false]);
});

it("steps back and on, not beyond what is kept", async () => {
  for (const expected of [4, 3, 2, 2]) {
    await scrubber.step(output(), -1);
    expect(scrubber.seen(output()).version).toBe(expected);
  }
  await scrubber.step(output(), 1);
  expect(scrubber.seen(output())).toMatchObject({ version: 3, updated: "t3" });
  expect(asked).toBe(1);
});

it.each([
  ["looked", () => [4, 3].map((version) => scrubber.look(output(), version))],
  ["stepped", () => [-1, -1].map(() => scrubber.step(output(), -1))],
])("ends where one %s last, however late the versions are known", async (_, go) => {
  const answers: (() => void)[] = [];
  scrubber = new Scrubber(() => new Promise((resolve) => answers.push(() => resolve(versions(2, newest)))));
  const going = go();
  for (const answer of answers.reverse()) answer();
  await Promise.all(going);
  expect(scrubber.seen(output()).version).toBe(3);
});

it("stays where it is when new versions come, and goes on with the newest otherwise", async () => {
  await scrubber.look(output(), 3);
  newest = 8;
  expect(scrubber.seen(output()).version).toBe(3);
  await scrubber.look(output(), 8);
  newest = 9;
  expect(scrubber.seen(output()).version).toBe(9);
});

it("looks at all outputs in the same step when they are linked", async () => {
  scrubber.linked = true;
  await scrubber.look(output(1), 3);
  await scrubber.learn(output(2));
  expect(scrubber.seen(output(2)).version).toBe(3);
});

it("looks at the last step of one output in the same step of another that has more", async () => {
  scrubber.linked = true;
  const short = { ...output(1), version: 3 };
  newest = 3;
  await scrubber.learn(short);
  newest = 8;
  await scrubber.learn(output(2));
  await scrubber.look(short, 3);
  expect([scrubber.seen(short), scrubber.seen(output(2)).version]).toEqual([short, 3]);
  await scrubber.look(output(2), 8);
  expect([scrubber.seen(short), scrubber.seen(output(2)).version]).toEqual([short, 8]);
});

it("plays to the newest, as fast as it is painted", async () => {
  let painted = true;
  await scrubber.play(output, () => painted);
  expect([scrubber.playing, scrubber.seen(output()).version]).toEqual([true, 2]);
  await vi.advanceTimersByTimeAsync(160);
  expect(scrubber.seen(output()).version).toBe(3);
  painted = false;
  await vi.advanceTimersByTimeAsync(1000);
  expect(scrubber.seen(output()).version).toBe(3);
  painted = true;
  await vi.advanceTimersByTimeAsync(1000);
  expect([scrubber.playing, scrubber.seen(output()).version]).toEqual([false, 5]);
});
