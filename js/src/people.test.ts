import { expect, it } from "vitest";
import { bytes, fate, hue, place, role, sessionTitle } from "./people.ts";
import type { OutputRecord, SessionRecord } from "./protocol.ts";

it.each([[0, "0 B"], [640, "640 B"], [1024, "1.0 kB"], [20_480, "20 kB"], [1.25 * 2 ** 20, "1.3 MB"], [2 ** 30, "1.0 GB"], [3e15, "2728 TB"]])("writes %d bytes as %s", (count, text) => {
  expect(bytes(count)).toBe(text);
});

it("gives a session the same hue everywhere", () => {
  expect(hue("a".repeat(32))).toBe(hue("a".repeat(32)));
});

it("says where the code stands", () => {
  const at = (source: object) => place({ source } as OutputRecord);
  expect([at({ cell: 7, file: "x" }), at({ file: "/home/ada/train.py", line: 42 }), at({})]).toEqual(["In [7]", "train.py:42", ""]);
});

it("says which of many made an output", () => {
  const of = (source: object) => role({ source } as OutputRecord);
  expect([of({}), of({ place: { worker: "LokyProcess-2" } }), of({ place: { rank: 0, ranks: 4, worker: "x" } }), of({ place: { rank: 3 }, task: { name: "train" } })]).toEqual(["", "LokyProcess-2", "rank 0", "train"]);
});

it("says what became of a session", () => {
  const of = (connected: boolean, ended: string | null, lost?: boolean) => fate({ connected, ended, lost } as SessionRecord);
  expect([of(true, null), of(false, null), of(false, "2026", false), of(false, "2026", true)]).toEqual(["", "not connected", "ended", "lost: it ended without a word"]);
});

it("says with a session's name what has become of it", () => {
  const of = (connected: boolean, ended: string | null) => sessionTitle({ name: null, title: "train.py", connected, ended } as SessionRecord);
  expect([of(true, null), of(false, null), of(false, "2026")]).toEqual(["train.py", "train.py", "train.py, ended"]);
});
