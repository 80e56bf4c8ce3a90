import { beforeEach, expect, it } from "vitest";
import type { OutputRecord, SessionRecord } from "./protocol.ts";
import { Search } from "./search.svelte.ts";

const NOW = new Date().toISOString();
const output = (id: number, fields: Partial<OutputRecord> = {}): OutputRecord =>
  ({ id, session: "s", title: null, note: null, source: {}, mimetypes: ["image/png"], pinned: false, updated: NOW, ...fields }) as OutputRecord;

let answers: ((ids: number[]) => void)[];
let search: Search;

const passes = (each: OutputRecord): boolean => search.filter?.(each) ?? true;

beforeEach(() => {
  answers = [];
  const ask = () => new Promise<number[]>((resolve) => answers.push(resolve));
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

it("forgets everything at its end", () => {
  search.start();
  search.words = "x";
  search.end();
  expect([search.open, search.filter]).toEqual([false, null]);
});
