import { beforeEach, expect, it, vi } from "vitest";
import { Marks } from "./marks.svelte.ts";
import { Outputs } from "./outputs.svelte.ts";
import type { OutputRecord } from "./protocol.ts";
import { Screen } from "./screen.svelte.ts";
import { Search } from "./search.svelte.ts";

let outputs: Outputs;
let marks: Marks;
let search: Search;
let screen: Screen;

beforeEach(() => {
  outputs = new Outputs();
  outputs.apply([1, 2, 3].map((id) => ({ id, event: id, removed: null, project: "/p" }) as OutputRecord));
  marks = new Marks();
  search = new Search(async () => ({ ids: [], more: false }), () => new Map());
  screen = new Screen(outputs, marks, search);
});

it("compares what is shown with the one before it, where nothing is marked", () => {
  screen.compare("side");
  expect([screen.comparing, marks.ids]).toEqual(["side", [2, 3]]);
  screen.compare(null);
  expect([screen.comparing, marks.ids]).toEqual([null, []]);
});

it("compares what an older run showed with what the newest one did", () => {
  const run = { number: 1, script: "a", stack: "s", previous: null, changed: null };
  outputs.apply([4, 5].map((id) => ({ id, event: id, removed: null, project: "/p", run }) as OutputRecord));
  outputs.select(4);
  screen.compare("side");
  expect(marks.ids).toEqual([4, 5]);
});

it("compares the marked ones in the order in which they were marked", () => {
  marks.ids = [3, 1];
  screen.compare("blink");
  expect(marks.ids).toEqual([3, 1]);
});

it("does not compare an output with nothing", () => {
  outputs.apply([2, 3].map((id) => ({ id, purged: true, event: 9 })));
  screen.compare("side");
  expect(screen.comparing).toBeNull();
});

it("goes back to the runs from a comparison that was begun there, once", () => {
  screen.showRuns("run");
  screen.compareRuns(1, 2, "difference");
  expect([screen.dialog, screen.comparing]).toEqual([null, "difference"]);
  screen.leave();
  expect([screen.dialog, screen.run]).toEqual(["runs", "run"]);
  screen.dialog = null;
  screen.compare("side");
  screen.leave();
  expect(screen.dialog).toBeNull();
});

it("closes one thing after the other, what lies on top first", () => {
  screen.detailing = true;
  search.start();
  marks.ids = [1];
  screen.gallery = true;
  screen.presenting = true;
  const open = () => [screen.presenting, screen.gallery, marks.ids.length > 0, screen.detailing, search.open];
  for (let closed = 1; closed <= 5; closed++) {
    screen.leave();
    expect(open()).toEqual([...Array(closed).fill(false), ...Array(5 - closed).fill(true)]);
  }
});

it("leaves full screen for the search, which has no place there", () => {
  screen.presenting = true;
  screen.startSearch();
  expect([screen.presenting, search.open]).toEqual([false, true]);
});

it("ends the search and leaves everything else as it is", () => {
  marks.ids = [1];
  search.start();
  screen.endSearch();
  expect([search.open, marks.ids]).toEqual([false, [1]]);
});

it("shows the gallery in place of a comparison", () => {
  screen.compare("side");
  screen.toggleGallery();
  expect([screen.comparing, screen.gallery]).toEqual([null, true]);
});

it("leaves full screen also where the browser comes into it only after that", () => {
  const browser = { fullscreenElement: {}, exitFullscreen: vi.fn() };
  vi.stubGlobal("document", browser);
  screen.presenting = false;
  screen.followBrowser();
  expect(browser.exitFullscreen).toHaveBeenCalledOnce();
  screen.presenting = true;
  screen.followBrowser();
  expect(screen.presenting).toBe(true);
  Object.assign(browser, { fullscreenElement: null });
  screen.followBrowser();
  expect([screen.presenting, browser.exitFullscreen.mock.calls.length]).toEqual([false, 1]);
  vi.unstubAllGlobals();
});
