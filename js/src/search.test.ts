import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { OutputRecord, SessionRecord } from "./protocol.ts";
import { Search, type Found } from "./search.svelte.ts";

const NOW = new Date().toISOString();
const output = (id: number, fields: Partial<OutputRecord> = {}): OutputRecord =>
  ({ id, session: "s", title: null, note: null, source: {}, mimetypes: ["image/png"], pinned: false, updated: NOW, ...fields }) as OutputRecord;

let answers: ((ids: number[], more?: boolean) => void)[];
let asked: [string, number | undefined][];
let search: Search;

const passes = (each: OutputRecord): boolean => search.filter?.(each) ?? true;

afterEach(() => void vi.useRealTimers());

beforeEach(() => {
  vi.useFakeTimers();
  answers = [];
  asked = [];
  const ask = (words: string, before: number | undefined) => {
    asked.push([words, before]);
    return new Promise<Found>((resolve) => answers.push((ids, more = false) => resolve({ ids, more })));
  };
  search = new Search(ask, () => new Map([["s", { id: "s", title: "train.py" } as SessionRecord]]));
});

it("lets everything pass as long as nothing is asked for", () => {
  expect(search.filter).toBeNull();
  search.start();
  expect(search.filter).toBeNull();
});

it.each([
  ["title", { title: "Residuals of the fit" }],
  ["note", { note: "the residuals of the fit" }],
  ["code", { source: { code: "plot(fit, residuals)" } }],
  ["text inside a figure", { figure: { description: "title: Residuals\nlegend: fit" } as OutputRecord["figure"] }],
])("finds all words in whatever order in the %s", (_, fields) => {
  search.words = "FIT resid";
  expect(passes(output(1, fields as Partial<OutputRecord>))).toBe(true);
  expect(passes(output(2, { title: "fit" }))).toBe(false);
});

it("finds by session, number and kind", () => {
  search.words = "train";
  expect(passes(output(1))).toBe(true);
  search.words = "#17";
  expect([passes(output(17)), passes(output(7))]).toEqual([true, false]);
  search.words = "";
  search.kind = "HTML";
  expect([passes(output(1, { mimetypes: ["text/plain", "text/html"] })), passes(output(2))]).toEqual([true, false]);
});

it("finds by what people call the kind, as a word among others", () => {
  search.words = "html";
  expect([passes(output(1, { mimetypes: ["text/html"] })), passes(output(2))]).toEqual([true, false]);
});

it("finds by age and pin", () => {
  search.age = "7";
  expect([passes(output(1)), passes(output(2, { updated: "2020-01-01T00:00:00.000000Z" }))]).toEqual([true, false]);
  search.age = "";
  search.pinned = true;
  expect([passes(output(1)), passes(output(2, { pinned: true }))]).toEqual([false, true]);
});

it("adds what the hub finds, for the words that it was asked for", async () => {
  search.words = "gamma";
  const first = search.ask();
  search.words = "gamma r";
  const second = search.ask();
  answers[0]!([1]);
  answers[1]!([2]);
  await Promise.all([first, second]);
  expect([passes(output(1)), passes(output(2))]).toEqual([false, true]);
  search.words = "gamma ra";
  expect(passes(output(2))).toBe(false);
});

it("asks for older ones as well, once nobody types any more", async () => {
  search.words = "gamma";
  void search.ask();
  answers[0]!([7, 9], true);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toEqual([["gamma", undefined], ["gamma", 7]]);
  answers[1]!([1, 3], true);
  await vi.advanceTimersByTimeAsync(0);
  expect([1, 3, 7, 9, 5].map((id) => passes(output(id)))).toEqual([true, true, true, true, false]);
  search.words = "gamma r";
  void search.ask();
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked.slice(2)).toEqual([["gamma r", undefined]]);
});

it("asks again when something new has come, once for all that came at about the same time", async () => {
  search.askAgain();
  search.words = "gamma";
  const first = search.ask();
  answers[0]!([1]);
  await first;
  for (let count = 0; count < 3; count++) search.askAgain();
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toHaveLength(2);
  answers[1]!([2]);
  await vi.advanceTimersByTimeAsync(0);
  expect([passes(output(1)), passes(output(2))]).toEqual([true, true]);
  search.askAgain();
  search.end();
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toHaveLength(2);
});

it("forgets everything at its end", () => {
  search.start();
  search.words = "x";
  search.end();
  expect([search.open, search.filter]).toEqual([false, null]);
});
