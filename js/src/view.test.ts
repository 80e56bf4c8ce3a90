import { expect, it, vi } from "vitest";
import type { DataRef, OutputRecord } from "./protocol.ts";
import { familyOf, renderingOf, type View } from "./view.ts";

const CHART = "application/vnd.acme.bars+json";
const ref = (url: string): DataRef => ({ sha256: url, size: 1, url });
const view = (mime: string, ...others: string[]): View => {
  const data = Object.fromEntries([mime, ...others].map((each) => [each, ref(each)]));
  return { mime, output: { data, metadata: {} } as unknown as OutputRecord };
};
const renderer = (mime: string): string => `application/vnd.ipyweb.renderer; type=${mime}`;

it("draws a MIME type that the pane does not know with the renderer that came with it", () => {
  expect(familyOf(view(CHART, renderer(CHART)))).toMatchObject({ renderer: "package", place: "frame" });
  expect(familyOf(view(CHART, renderer("application/x-other"))).renderer).toBe("unknown");
});

it.each(["image/png", "text/plain", "text/html"])("lets no package draw %s, which the pane knows", (mime) => {
  expect(familyOf(view(mime, renderer(mime)))).toBe(familyOf(view(mime)));
});

it("gives a frame the data and the renderer's script", async () => {
  vi.spyOn(globalThis, "fetch").mockImplementation(async (url) => new Response(decodeURI(new URL(String(url)).pathname.slice(1))));
  const { renderer: name, bytes, companions } = await renderingOf(view(CHART, renderer(CHART)));
  const text = (buffer: ArrayBuffer): string => new TextDecoder().decode(buffer);
  expect([name, text(bytes), text(companions.renderer!)]).toEqual(["package", CHART, renderer(CHART)]);
});

it("says which MIME type an output lacks", async () => {
  await expect(renderingOf({ ...view("text/html"), mime: "text/latex" })).rejects.toThrow("no text/latex");
});
