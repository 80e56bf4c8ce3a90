import { beforeEach, expect, it, vi } from "vitest";
import { Clipboard } from "./clipboard.ts";
import type { OutputRecord } from "./protocol.ts";
import * as taking from "./taking.ts";

let copied: Record<string, string>;
const copy = vi.spyOn(taking, "copy");
const say = vi.fn();
const snapshot = vi.fn();

/** Has what is shown of one output in a MIME type. */
const showing = (mime: string): Clipboard => {
  const output = { id: 3, title: null, figure: null, data: { [mime]: { url: "c/3" } } } as unknown as OutputRecord;
  return new Clipboard({ seeing: { shown: { output, mime }, snapshot }, toasts: { say } } as never);
};

beforeEach(() => {
  vi.clearAllMocks();
  copy.mockImplementation(async (content) => {
    copied = Object.fromEntries(await Promise.all(Object.entries(content).map(async ([type, blob]) => [type, await (await blob).text()] as const)));
  });
  snapshot.mockResolvedValue(new Blob(["seen"], { type: "image/png" }));
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("stored"));
});

it("copies a text as text, and anything else as a picture of what is seen", async () => {
  await showing("text/plain").copyPicture();
  expect(copied).toEqual({ "text/plain": "stored" });
  await showing("text/html").copyPicture();
  expect(copied).toEqual({ "image/png": "seen" });
});

it("copies HTML so that it can be pasted as what it shows, too", async () => {
  await showing("text/html").copyAs("html");
  expect(copied).toEqual({ "text/plain": "stored", "text/html": "stored" });
  expect(say).toHaveBeenCalledExactlyOnceWith("Copied as HTML");
});

it("copies a plot as it is seen, and its data where it makes no picture", async () => {
  const plot = showing("application/vnd.plotly.v1+json");
  await plot.copyAs("markdown");
  expect(copied["text/plain"]).toContain("data:image/png;base64,");
  snapshot.mockRejectedValue(new Error("no picture"));
  await plot.copyAs("markdown");
  expect(copied["text/plain"]).toBe("```json\nstored\n```");
});

it("copies what is nowhere stored as it is seen", async () => {
  const output = { id: 3, title: "Difference", figure: null, data: {} } as unknown as OutputRecord;
  const seen = new Clipboard({ seeing: { shown: { output, mime: "image/png" }, snapshot }, toasts: { say } } as never);
  await seen.copyAs("markdown");
  expect(copied["text/plain"]).toMatch(/^!\[Difference\]\(data:image\/png/);
});

it("says why there was nothing to copy, rather than that the browser did not", async () => {
  snapshot.mockRejectedValue(new Error("HTML cannot be taken as PNG"));
  copy.mockRejectedValue(new Error("Write permission denied."));
  await showing("text/html").copyPicture();
  expect(say).toHaveBeenCalledExactlyOnceWith("Not copied: HTML cannot be taken as PNG");
});

it("says what the browser says where there was something to copy", async () => {
  copy.mockRejectedValue(new Error("Write permission denied."));
  await showing("text/plain").copyText("a/path.py", "the path");
  expect(say).toHaveBeenCalledExactlyOnceWith("Not copied: Write permission denied.");
});

it("says to ask again where the browser refuses what was asked from inside a frame", async () => {
  vi.spyOn(document, "activeElement", "get").mockReturnValueOnce(document.createElement("iframe"));
  copy.mockRejectedValue(new DOMException("The request is not allowed", "NotAllowedError"));
  await showing("text/plain").copyText("a/path.py", "the path");
  expect(say).toHaveBeenCalledExactlyOnceWith("Not copied: the output had the keys; now the pane has, so ask again");
});
