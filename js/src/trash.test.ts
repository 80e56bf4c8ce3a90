import { beforeEach, expect, it, vi } from "vitest";
import type { Api, Selection } from "./api.ts";
import { Marks } from "./marks.svelte.ts";
import { Outputs } from "./outputs.svelte.ts";
import type { OutputRecord } from "./protocol.ts";
import { Search } from "./search.svelte.ts";
import { Toasts } from "./toasts.svelte.ts";
import { Trash } from "./trash.ts";

const record = (id: number, more: Partial<OutputRecord> = {}): OutputRecord =>
  ({ id, event: id, removed: null, project: "/p", session: "s", title: null, pinned: false, mimetypes: [], ...more }) as OutputRecord;

/** A hub that does as it is told, and what it was told. */
class Hub {
  asked: Selection[] = [];
  refuses = false;

  clear = async (which: Selection) => {
    this.asked.push(which);
    if (this.refuses) throw new Error("the disk is full");
    return { removed: [...(which.ids ?? [1, 2, 3])] };
  };
  restore = async (ids: readonly number[]) => ({ restored: [...ids] });
  output = async (id: number) => record(id, { event: 100 + id });
  purge = async ({ ids }: Selection) => ({ purged: [...(ids ?? [1, 2])] });
}

let hub: Hub;
let outputs: Outputs;
let marks: Marks;
let toasts: Toasts;
let trash: Trash;
const showOutput = vi.fn(async (id: number) => outputs.select(id));

beforeEach(() => {
  hub = new Hub();
  outputs = new Outputs();
  outputs.apply([record(1), record(2), record(3)]);
  marks = new Marks();
  toasts = new Toasts();
  trash = new Trash(hub as unknown as Api, { outputs, marks, toasts, search: new Search(async () => ({ ids: [], more: false }), () => new Map()), showOutput });
});

it("removes the output shown from the list before the hub has answered", async () => {
  const removing = trash.remove();
  expect(outputs.order).toEqual([1, 2]);
  await removing;
  expect(hub.asked).toEqual([{ ids: [3] }]);
  expect(toasts.current!.text).toBe("Removed output 3");
});

it("removes the marked outputs in place of the one shown, and takes their marks away", async () => {
  marks.ids = [1, 2];
  await trash.remove();
  expect([outputs.order, marks.ids]).toEqual([[3], []]);
});

it("puts back into the list what the hub refused to remove", async () => {
  hub.refuses = true;
  await trash.remove();
  expect(outputs.order).toEqual([1, 2, 3]);
  expect(toasts.current!.text).toBe("Not removed: the disk is full");
});

it("undoes what was removed before where the hub refused the last removal", async () => {
  await trash.removeOne(outputs.get(1)!);
  hub.refuses = true;
  await trash.removeOne(outputs.get(2)!);
  await trash.undo();
  expect([outputs.order, outputs.current]).toEqual([[1, 2, 3], 1]);
});

it("goes on saying that nothing was removed where that was to be undone at once", async () => {
  hub.refuses = true;
  await Promise.all([trash.remove(), trash.undo()]);
  expect([outputs.order, toasts.current!.text]).toEqual([[1, 2, 3], "Not removed: the disk is full"]);
});

it("clears all but what is pinned, by project, or what was found by its ids", async () => {
  outputs.apply([record(2, { event: 9, pinned: true })]);
  await trash.clear();
  expect([hub.asked, outputs.order]).toEqual([[{ project: null }], [2]]);
  await trash.clearSession();
  expect(hub.asked.at(-1)).toEqual({ session: "s" });
});

it("undoes removals one after the other, the last first, and says when there is none left", async () => {
  await trash.removeOne(outputs.get(1)!);
  await trash.removeOne(outputs.get(2)!);
  await Promise.all([trash.undo(), trash.undo()]);
  expect([outputs.order, outputs.current]).toEqual([[1, 2, 3], 1]);
  await trash.undo();
  expect(toasts.current!.text).toBe("There is nothing to undo");
});

it("goes on following the newest when that is what came back", async () => {
  await trash.remove();
  showOutput.mockClear();
  await trash.undo();
  expect(showOutput).not.toHaveBeenCalled();
  expect([outputs.current, outputs.following]).toEqual([3, true]);
});

it("says how many were deleted for good, and of what project", async () => {
  await trash.purge([7]);
  expect(toasts.current!.text).toBe("Deleted for good");
  await trash.empty();
  expect(toasts.current!.text).toBe("Deleted 2 outputs for good");
});
