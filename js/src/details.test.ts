import { expect, it } from "vitest";
import { command, editorUrl, facts, isReadable, makers, origin, standing } from "./details.ts";
import type { OutputRecord, SessionRecord } from "./protocol.ts";

const OUTPUT = {
  id: 17, project: "/home/ada/waves", created: "2026-11-20T11:00:00Z", updated: "2026-11-20T12:00:00Z", version: 3, size: 2048, seconds: 0.25,
  source: {
    file: "/home/ada/waves/train.py", line: 42, argv: ["train.py", "--epochs", "3"], cwd: "/home/ada/waves",
    git: { commit: "0123456789abcdef", branch: "main", dirty: true }, versions: { matplotlib: "3.10.1" },
  },
} as unknown as OutputRecord;
const SESSION = { title: "train.py", name: null, host: "node7", pid: 12, connected: false, python: "3.11.7", ended: "2026-11-20T12:00:00Z" } as unknown as SessionRecord;
const named = (rows: { name: string; text: string }[]) => Object.fromEntries(rows.map(({ name, text }) => [name, text]));

it("says where the code stands and what it was run in", () => {
  expect(named(origin(OUTPUT, SESSION))).toEqual({
    File: "/home/ada/waves/train.py:42", Command: "train.py --epochs 3", Directory: "/home/ada/waves", Project: "/home/ada/waves",
    Commit: "0123456789 on main, with changes", Session: "train.py", Machine: "node7, process 12, ended",
  });
});

it("says which of many made it, and what became of that", () => {
  const task = { name: "train", id: "train-3f2a", worker: "node7:0" };
  const place = { system: "Slurm", rank: 3, ranks: 64, job: "1200.0", worker: "node7:0" };
  const row = (source: object) => named(origin({ ...OUTPUT, source } as OutputRecord, { ...SESSION, ended: "2026-11-20T12:00:00Z", lost: true } as SessionRecord));
  expect(row({ task, place })).toMatchObject({ Task: "train, train-3f2a, on node7:0", Rank: "3 of 64, Slurm", Job: "1200.0", Machine: "node7, process 12, lost: it ended without a word" });
  expect(row({ place: { worker: "LokyProcess-2" } })).toMatchObject({ Worker: "LokyProcess-2" });
});

it("leaves out what is not known", () => {
  const bare = { id: 1, project: "", source: {}, created: "2026-11-20T11:00:00Z", version: 1, size: 10 } as unknown as OutputRecord;
  expect([origin(bare, undefined), makers(bare, undefined)]).toEqual([[], []]);
  expect(Object.keys(named(facts(bare)))).toEqual(["Number", "Shown", "Size"]);
});

it.each([
  ["what no script made", null, ["ipython"], null],
  ["a script", { script: "/home/ada/waves/train.py" }, ["train.py", "--epochs", "3"], "cd /home/ada/waves && ipyweb run /home/ada/waves/train.py --epochs 3"],
  ["words that a shell would read", { script: "/a b/c.py" }, ["c.py", "it's", "$HOME", ""], `cd /home/ada/waves && ipyweb run '/a b/c.py' 'it'\\''s' '$HOME' ''`],
])("says how to run %s again", (_, run, argv, says) => {
  expect(command({ ...OUTPUT, run, source: { ...OUTPUT.source, argv } } as OutputRecord)).toBe(says);
});

it("says with what it was made, and how long that took", () => {
  expect(named(makers(OUTPUT, SESSION))).toEqual({ Python: "3.11.7", matplotlib: "3.10.1", "Drawn in": "250 ms" });
});

it.each([
  [null, ""],
  [{ number: 7, script: "/a/train.py", previous: 3, changed: true }, "Run 7 of train.py: changed"],
  [{ number: 7, script: "/a/train.py", previous: 3, changed: false }, "Run 7 of train.py: as before"],
  [{ number: 1, script: "/a/train.py", previous: null, changed: null }, "Run 1 of train.py: new"],
  [{ number: 2, script: "/a/train.py", previous: 3, changed: null }, "Run 2 of train.py"],
])("tells about a run %#", (run, says) => {
  expect(standing({ run } as OutputRecord)).toBe(says);
});

it("knows what can be read", () => {
  expect(["text/html", "application/vnd.plotly.v1+json", "image/svg+xml", "image/png"].map(isReadable)).toEqual([true, true, true, false]);
});

it.each([
  ["vscode://file/{file}:{line}", "/home/ada/a b.py", "vscode://file/home/ada/a%20b.py:7"],
  ["vscode://file/{file}:{line}", "C:\\x\\a.py", "vscode://file/C:/x/a.py:7"],
  ["idea://open?file={file}&line={line}", "/a#1.py", "idea://open?file=/a%231.py&line=7"],
  ["javascript:alert({line})", "/a.py", "about:blank"],
])("makes of %s and %s an address", (template, file, url) => {
  expect(editorUrl(template, file, 7)).toBe(url);
});
