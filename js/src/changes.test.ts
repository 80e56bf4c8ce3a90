import { expect, it } from "vitest";
import { compared, runName, summary } from "./changes.ts";
import type { OutputRecord, RunRecord, StackChange } from "./protocol.ts";

const RUN: RunRecord = {
  id: "a", project: "/p", script: "/p/train.py", number: 7, argv: [], started: "", ended: null, connected: true, outputs: 8, changed: 2, new: 0,
};
const output = (mime: string): OutputRecord => ({ mimetypes: [mime] }) as OutputRecord;
const stacks = (...statuses: StackChange["status"][]): StackChange[] => statuses.map((status, i) => ({ stack: String(i), before: 1, after: 2, status }));
const figures = Array.from({ length: 8 }, () => output("image/png"));

it("calls a run by its number and its script", () => {
  expect(runName(RUN)).toBe("run 7 of train.py");
});

it("says how many figures a run showed and how many changed", () => {
  expect(summary(RUN, figures)).toBe("8 figures, 2 changed");
});

it("speaks of outputs where not all of them are figures, or not all are known", () => {
  expect(summary(RUN, [...figures.slice(1), output("text/html")])).toBe("8 outputs, 2 changed");
  expect(summary(RUN, figures.slice(1))).toBe("8 outputs, 2 changed");
});

it("calls nothing new in a first run, and some of a later one", () => {
  expect(summary({ ...RUN, changed: 0, new: 8 }, figures)).toBe("8 figures");
  expect(summary({ ...RUN, outputs: 1, changed: 0, new: 0 }, figures.slice(7))).toBe("1 figure");
  expect(summary({ ...RUN, new: 1 }, figures)).toBe("8 figures, 2 changed, 1 new");
  expect(summary({ ...RUN, outputs: 0, changed: 0 }, [])).toBe("nothing shown");
});

it("says of two runs what changed, what is new and what is gone", () => {
  expect(compared(stacks("same", "changed", "changed", "new", "gone"), figures.slice(0, 4))).toBe("4 figures, 2 changed, 1 new, 1 gone");
  expect(compared(stacks("same", "same"), figures.slice(0, 2))).toBe("2 figures, all as before");
  expect(compared(stacks("same", "unknown"), figures.slice(0, 2))).toBe("2 figures, 1 not drawn yet");
});
