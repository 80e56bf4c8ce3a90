import { beforeEach, expect, it, vi } from "vitest";
import type { Api } from "./api.ts";
import { fileName, Files } from "./files.ts";
import type { OutputRecord } from "./protocol.ts";
import * as taking from "./taking.ts";
import { Toasts } from "./toasts.svelte.ts";

const output = (title: string | null, data: object = {}): OutputRecord => ({ id: 17, title, data }) as OutputRecord;

const download = vi.spyOn(taking, "download").mockImplementation(() => {});
const toasts = new Toasts();
const say = vi.spyOn(toasts, "say").mockImplementation(() => {});
const snapshot = vi.fn();
const asked = vi.fn(async (_: Record<string, string>) => ({ content: new Blob(), name: "ipyweb.zip" }));

/** As much of a pane as it takes. */
const pane = {
  seeing: { shown: { output: output("Loss", { "image/png": { url: "c/1.png" } }), mime: "text/html" }, snapshot },
  figures: {},
  outputs: { order: [1, 2, 3, 5, 6], inScope: { length: 5 }, complete: true, project: "/p", shown: { session: "s" } },
  marks: { ids: [2] },
  toasts,
};
const files = new Files({ export: asked } as unknown as Api, pane as never);

beforeEach(() => {
  vi.clearAllMocks();
  pane.outputs.inScope.length = 5;
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("stored"));
});

it.each([
  [output("Loss: train/val?"), "image/png", "Loss train val.png"],
  [output("../../etc/passwd"), "text/plain", "etc passwd.txt"],
  [output(null), "application/vnd.plotly.v1+json", "output-17.json"],
  [output("…"), "application/x-unknown-thing", "output-17.bin"],
])("names files by titles that may hold anything", (each, mime, name) => {
  expect(fileName(each, mime)).toBe(name);
});

it("saves what is shown as it is seen", async () => {
  const picture = new Blob(["seen"]);
  snapshot.mockResolvedValue(picture);
  await files.savePicture("png");
  expect(download).toHaveBeenCalledExactlyOnceWith(picture, "Loss.png");
});

it("saves what is stored where there is no picture of what is seen", async () => {
  snapshot.mockRejectedValue(new Error("HTML cannot be taken as PNG"));
  await files.savePicture("png");
  expect(await download.mock.calls[0]![0].text()).toBe("stored");
});

it("says why nothing was saved", async () => {
  snapshot.mockRejectedValue(new Error("HTML cannot be taken as SVG"));
  await files.savePicture("svg");
  expect(say).toHaveBeenCalledExactlyOnceWith("Not saved: HTML cannot be taken as SVG");
  expect(download).not.toHaveBeenCalled();
});

it.each([
  ["marked", 5, { ids: "2" }],
  ["session", 5, { session: "s" }],
  ["listed", 5, { project: "/p" }],
  ["listed", 9, { ids: "1-3,5-6" }],
] as const)("tells the hub which outputs are meant by %s, of %d", async (scope, count, fields) => {
  pane.outputs.inScope.length = count;
  await files.export({ scope, format: "zip", include: ["code", "cwd"] }, () => {});
  expect(asked.mock.calls[0]![0]).toEqual({ ...fields, format: "zip", include: "code,cwd" });
});

it("opens a picture in a tab at once, as a picture alone, and closes the tab where none comes", async () => {
  const tab = { document: document.implementation.createHTMLDocument(), close: vi.fn() };
  const open = vi.spyOn(window, "open").mockReturnValue(tab as never);
  const opening = files.openMade(output("Loss"), Promise.resolve(new Blob(["<svg/>"], { type: "image/svg+xml" })));
  expect(open).toHaveBeenCalledOnce();
  await opening;
  expect(tab.document.title).toBe("Loss");
  expect(tab.document.querySelector("img")!.src).toMatch(/^blob:/);
  await files.openMade(output("Loss"), Promise.reject(new Error("the keeper is gone")));
  expect(say).toHaveBeenCalledExactlyOnceWith("Not opened: the keeper is gone");
  expect(tab.close).toHaveBeenCalledOnce();
});

it("says so where the browser opens no tab", async () => {
  vi.spyOn(window, "open").mockReturnValue(null);
  await files.openMade(output("Loss"), Promise.resolve(new Blob()));
  expect(say).toHaveBeenCalledExactlyOnceWith("Not opened: the browser opens no tab; allow it to");
});
