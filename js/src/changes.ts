/** Runs of scripts, and what changed from one to the next, in words. */
import { baseName } from "./people.ts";
import type { OutputRecord, RunRecord, StackChange } from "./protocol.ts";
import { byRichness, family } from "./renderers/table.ts";

/** What became of an output, in the order in which it matters. */
export const CHANGES = ["changed", "new", "gone", "unknown", "same"] as const satisfies readonly StackChange["status"][];

export const HEADINGS: Record<StackChange["status"], string> = {
  changed: "Changed", new: "New", gone: "Gone", unknown: "Not drawn yet", same: "As before",
};

/** A run as people call it: `run 7 of train.py`. */
export const runName = ({ number, script }: Pick<RunRecord, "number" | "script">): string => `run ${number} of ${baseName(script)}`;

const isDrawing = ({ figure, mimetypes }: OutputRecord): boolean => !!figure || family(byRichness(mimetypes)[0] ?? "").renderer === "image";

/** How many there are of what: `8 figures`, `1 output`. */
export function counted(count: number, outputs: readonly OutputRecord[]): string {
  const what = outputs.length === count && outputs.every(isDrawing) ? "figure" : "output";
  return count === 0 ? "nothing shown" : `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** What a run showed, and what of it is not as before: `8 figures, 2 changed`. A first run has no before. */
export function summary(run: RunRecord, outputs: readonly OutputRecord[]): string {
  const fresh = run.new < run.outputs && run.new > 0 ? `${run.new} new` : "";
  return [counted(run.outputs, outputs), run.changed > 0 ? `${run.changed} changed` : "", fresh].filter(Boolean).join(", ");
}

/** The same of two runs that were compared: `8 figures, 2 changed, 1 gone`. */
export function compared(stacks: readonly StackChange[], outputs: readonly OutputRecord[]): string {
  const many = (status: StackChange["status"]) => stacks.filter((each) => each.status === status).length;
  const words = CHANGES.filter((each) => each !== "same" && many(each) > 0).map((each) => `${many(each)} ${HEADINGS[each].toLowerCase()}`);
  return [counted(stacks.length - many("gone"), outputs), ...(words.length > 0 ? words : ["all as before"])].join(", ");
}
