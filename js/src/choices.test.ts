import { expect, it } from "vitest";
import { Choices } from "./choices.svelte.ts";
import type { FigureInfo, OutputRecord } from "./protocol.ts";

const output = (mimetypes: string[], figure: Partial<FigureInfo> | null = null, updated = new Date().toISOString()): OutputRecord =>
  ({ id: 1, mimetypes, figure, updated }) as OutputRecord;

it("shows the richest MIME type, until the user chooses another that is there", () => {
  const choices = new Choices();
  const both = output(["text/plain", "image/png"]);
  expect(choices.viewOf(both)!.mime).toBe("image/png");
  choices.choose(both, "text/plain");
  expect(choices.viewOf(both)!.mime).toBe("text/plain");
  expect(choices.viewOf(output(["image/png"]))!.mime).toBe("image/png");
});

it("has nothing to show of what has no MIME type", () => {
  expect(new Choices().viewOf(output([]))).toBeNull();
});

it("shows the animation of a figure once it is there", () => {
  expect(new Choices().viewOf(output(["text/html", "image/png", "text/plain"], {}))!.mime).toBe("text/html");
});

it("waits for the picture of a figure, but neither for ever nor for one that cannot be drawn", () => {
  const choices = new Choices();
  expect(choices.viewOf(output(["text/plain"], {}))!.mime).toBe("image/png");
  expect(choices.viewOf(output(["text/plain"], {}, "2020-01-01T00:00:00Z"))!.mime).toBe("text/plain");
  expect(choices.viewOf(output(["text/plain"], { failed: true }))!.mime).toBe("text/plain");
});
