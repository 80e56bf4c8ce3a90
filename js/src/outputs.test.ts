import { beforeEach, describe, expect, it } from "vitest";
import { Outputs } from "./outputs.svelte.ts";
import type { OutputRecord } from "./protocol.ts";

const record = (id: number, fields: Partial<OutputRecord> = {}): OutputRecord =>
  ({ id, event: id, project: "/a", removed: null, version: 1, ...fields }) as OutputRecord;

let outputs: Outputs;

beforeEach(() => {
  outputs = new Outputs();
  outputs.apply([record(1), record(2), record(3)]);
});

it("follows the newest from the beginning", () => {
  expect(outputs.current).toBe(3);
  outputs.apply([record(4)]);
  expect(outputs.current).toBe(4);
  expect(outputs.unread).toBe(0);
});

it("stays at an older output and counts what came since", () => {
  outputs.select(1);
  outputs.apply([record(4), record(5)]);
  expect(outputs.current).toBe(1);
  expect(outputs.unread).toBe(2);
  expect([3, 4, 5].map((id) => outputs.isUnread(id))).toEqual([false, true, true]);
});

it("follows again once the user went to the newest", () => {
  outputs.select(1);
  outputs.apply([record(4)]);
  outputs.newest();
  expect(outputs.unread).toBe(0);
  outputs.apply([record(5)]);
  expect(outputs.current).toBe(5);
});

it("tells what came during a break, until the user goes there, and marks where it began", () => {
  outputs.leave();
  outputs.apply([record(4), record(5)]);
  expect(outputs.current).toBe(5);
  expect(outputs.unread).toBe(2);
  outputs.comeBack(true);
  expect([outputs.news, outputs.firstNew, outputs.unread]).toEqual([2, 4, 0]);
  outputs.apply([record(6)]);
  expect([outputs.news, outputs.current]).toEqual([2, 6]);
  outputs.select(4);
  expect([outputs.news, outputs.firstNew]).toEqual([0, 4]);
});

it("does not pull the user away from an older output during a break", () => {
  outputs.select(1);
  outputs.leave();
  outputs.apply([record(4)]);
  outputs.comeBack(true);
  expect([outputs.current, outputs.news, outputs.isUnread(4), outputs.isUnread(3)]).toEqual([1, 1, true, false]);
});

it("tells nothing of a short break, nor of what is shown anyway", () => {
  outputs.leave();
  outputs.apply([record(4), record(5)]);
  outputs.comeBack(false);
  expect([outputs.news, outputs.unread]).toEqual([0, 0]);
  outputs.leave();
  outputs.apply([record(6)]);
  outputs.comeBack(true);
  expect([outputs.news, outputs.unread]).toEqual([0, 0]);
});

it("begins with what came since the pane was last open", () => {
  outputs.begin(1);
  expect([outputs.news, outputs.firstNew]).toEqual([2, 2]);
  outputs = new Outputs();
  outputs.following = false;
  outputs.apply([record(1), record(2)]);
  outputs.begin(null);
  outputs.select(1);
  expect([outputs.news, outputs.unread]).toEqual([0, 0]);
});

it("finds what a call site showed in the runs before and after", () => {
  const run = (previous: number | null) => ({ run: { number: 1, script: "a", stack: "s", previous, changed: null } });
  outputs.apply([record(4, run(null)), record(6, run(4))]);
  expect(outputs.inStack(outputs.get(6)!, -1)?.id).toBe(4);
  expect(outputs.inStack(outputs.get(4)!, 1)?.id).toBe(6);
  expect([outputs.inStack(outputs.get(4)!, -1), outputs.inStack(outputs.get(6)!, 1), outputs.inStack(outputs.get(1)!, 1)]).toEqual([undefined, undefined, undefined]);
});

it("steps over a run whose output was removed, whatever that of the next one calls the one before", () => {
  const run = (previous: number | null) => ({ run: { number: 1, script: "a", stack: "s", previous, changed: null } });
  outputs.apply([record(4, run(null)), record(6, run(4)), record(8, run(6))]);
  outputs.apply([{ ...record(6, run(4)), removed: "now" }]);
  expect([outputs.inStack(outputs.get(8)!, -1)?.id, outputs.inStack(outputs.get(4)!, 1)?.id]).toEqual([4, 8]);
});

describe("runs of a script", () => {
  const inRun = (id: number, number: number, stack = "s", fields: Partial<OutputRecord> = {}) =>
    record(id, { run: { number, script: "a.py", stack, previous: null, changed: null }, ...fields });

  it("lie on those before, so that they bury nothing else", () => {
    outputs.apply([inRun(4, 1), inRun(5, 1, "t")]);
    outputs.apply([inRun(6, 2), inRun(7, 2, "t")]);
    expect(outputs.order).toEqual([1, 2, 3, 6, 7]);
    expect(outputs.withCovered(outputs.get(6)!).map(({ id }) => id)).toEqual([4, 6]);
    expect(outputs.current).toBe(7);
  });

  it("are stacked the same whatever the order in which one hears of them", () => {
    outputs.apply([inRun(6, 2)]);
    outputs.apply([inRun(4, 1)]);
    expect(outputs.order).toEqual([1, 2, 3, 6]);
  });

  it("leave the one that is looked at where it is", () => {
    outputs.apply([inRun(4, 1), record(5)]);
    outputs.select(4);
    outputs.apply([inRun(6, 2)]);
    expect([outputs.current, outputs.listed, outputs.index, outputs.unread]).toEqual([4, 6, 4, 1]);
    outputs.step(-1);
    expect(outputs.current).toBe(5);
  });

  it("give way to the next in their stack when the one looked at goes, whoever removes it", () => {
    outputs.apply([inRun(4, 1), inRun(5, 2), inRun(6, 3), record(7)]);
    const remove = (id: number) => outputs.apply([{ ...outputs.get(id)!, removed: "now" }]);
    outputs.select(4);
    remove(4);
    expect([outputs.current, outputs.listed]).toEqual([5, 6]);
    remove(5);
    expect([outputs.current, outputs.following]).toEqual([6, false]);
    remove(6);
    expect([outputs.current, outputs.following, outputs.order]).toEqual([7, true, [1, 2, 3, 7]]);
  });

  it("lead to what lies on top of them, which is followed where it is the newest", () => {
    outputs.apply([inRun(4, 1), inRun(5, 2)]);
    outputs.select(4);
    outputs.apply([{ id: 4, purged: true, event: 9 }]);
    outputs.apply([record(6)]);
    expect([outputs.current, outputs.following]).toEqual([6, true]);
  });

  it("come to light again when those on top go, and when a filter looks for them", () => {
    outputs.apply([inRun(4, 1), inRun(6, 2)]);
    outputs.setFilter(({ id }) => id === 4);
    expect(outputs.order).toEqual([4]);
    outputs.setFilter(null);
    outputs.apply([{ ...inRun(6, 2), removed: "now" }]);
    expect(outputs.order).toEqual([1, 2, 3, 4]);
  });

  it("stay listed when they are pinned, and go with none", () => {
    outputs.apply([inRun(4, 1, "s", { pinned: true }), inRun(6, 2)]);
    expect(outputs.order).toEqual([1, 2, 3, 4, 6]);
    expect(outputs.withCovered(outputs.get(6)!)).toHaveLength(1);
  });

  it("are listed one by one when the user wants that", () => {
    outputs.apply([inRun(4, 1), inRun(6, 2)]);
    outputs.setStacked(false);
    expect(outputs.order).toEqual([1, 2, 3, 4, 6]);
    expect(outputs.withCovered(outputs.get(6)!)).toHaveLength(1);
  });
});

it("does not go beyond the ends", () => {
  outputs.step(10);
  expect(outputs.current).toBe(3);
  outputs.step(-10);
  expect(outputs.current).toBe(1);
});

it("keeps its place when older outputs arrive late", () => {
  outputs.apply([record(20), record(21)]);
  outputs.select(20);
  outputs.apply([record(10), record(11)]);
  expect(outputs.order).toEqual([1, 2, 3, 10, 11, 20, 21]);
  expect(outputs.current).toBe(20);
});

it("ignores older knowledge than it has", () => {
  outputs.apply([record(2, { event: 9, version: 5 })]);
  outputs.apply([record(2, { event: 4, version: 2 })]);
  expect(outputs.get(2)?.version).toBe(5);
});

it("does not bring back what was removed when an older answer comes late", () => {
  outputs.apply([record(2, { event: 9, removed: "now" })]);
  outputs.apply([record(2)]);
  expect(outputs.order).toEqual([1, 3]);
  outputs.apply([record(2, { event: 10 })]);
  expect(outputs.order).toEqual([1, 2, 3]);
});

it("shows the one after a removed output, else the one before it", () => {
  outputs.select(2);
  outputs.apply([record(2, { event: 9, removed: "2026-11-20T11:00:00.000000Z" })]);
  expect(outputs.current).toBe(3);
  outputs.apply([{ id: 3, purged: true, event: 10 }]);
  expect(outputs.current).toBe(1);
});

it("shows the next one when an output goes that was not listed", () => {
  outputs.setFilter(({ id }) => id !== 2);
  outputs.select(2);
  outputs.apply([{ ...record(2), removed: "now" }]);
  expect([outputs.current, outputs.order]).toEqual([3, [1, 3]]);
});

it("takes a restored output back", () => {
  outputs.apply([record(2, { event: 9, removed: "2026-11-20T11:00:00.000000Z" })]);
  expect(outputs.order).toEqual([1, 3]);
  outputs.apply([record(2, { event: 10 })]);
  expect(outputs.order).toEqual([1, 2, 3]);
});

it("speaks of one project, or of everything", () => {
  outputs.apply([record(4, { project: "/b" })]);
  outputs.setProject("/a");
  expect(outputs.order).toEqual([1, 2, 3]);
  expect(outputs.current).toBe(3);
  outputs.setProject(null);
  expect(outputs.order).toEqual([1, 2, 3, 4]);
});

it("shows nothing when nothing is left", () => {
  outputs.apply([1, 2, 3].map((id) => ({ id, purged: true as const, event: 20 })));
  expect(outputs.current).toBeNull();
  outputs.step(1);
  expect(outputs.current).toBeNull();
});

it("lists only what passes a filter, and new ones too", () => {
  outputs.setFilter(({ id }) => id % 2 === 1);
  expect(outputs.order).toEqual([1, 3]);
  outputs.apply([record(4), record(5)]);
  expect(outputs.order).toEqual([1, 3, 5]);
  outputs.setFilter(null);
  expect(outputs.order).toEqual([1, 2, 3, 4, 5]);
});

it("arranges a few changes and many alike", () => {
  const many = Array.from({ length: 200 }, (_, i) => record(1000 - i));
  outputs.apply(many);
  const expected = [1, 2, 3, ...Array.from({ length: 200 }, (_, i) => 801 + i)];
  expect(outputs.order).toEqual(expected);
  outputs.apply([record(900, { removed: "now", event: 2000 }), record(4)]);
  expect(outputs.order).toEqual([1, 2, 3, 4, ...expected.slice(3).filter((id) => id !== 900)]);
});

it("knows where the user is going", () => {
  expect(outputs.direction).toBe(-1);
  outputs.step(-1);
  outputs.step(-1);
  outputs.step(1);
  expect(outputs.direction).toBe(1);
});
