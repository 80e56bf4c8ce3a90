import { expect, it, vi } from "vitest";
import { converted, isPossible, optionsOf, picture, pixelsOf, resized, shotOf, type Choice, type Options } from "./exporting.ts";
import type { View } from "./view.ts";

const MADE = { width: 300, height: 200 };
const CHOICE: Choice = { ...MADE, format: "png", unit: "px", dpi: 96, transparent: false };
const FREE: Options = { formats: ["png"], shape: "free" };
const RATIO: Options = { ...FREE, shape: "ratio" };
const FLOW: Options = { ...FREE, shape: "flow" };

const view = (mime: string, figure: unknown = null): View => ({ mime, output: { id: 1, figure, data: {} } }) as unknown as View;

it.each([
  ["application/vnd.plotly.v1+json", "free"],
  ["application/vnd.vegalite.v6.json", "free"],
  ["image/svg+xml", "ratio"],
  ["image/png", "ratio"],
  ["text/html", "flow"],
  ["text/markdown", "flow"],
  ["application/vnd.jupyter.widget-view+json", "flow"],
])("knows how %s can be stretched", (mime, shape) => {
  expect(optionsOf(view(mime))?.shape).toBe(shape);
});

it("offers PDF for figures, and no picture of what is text", () => {
  expect(optionsOf(view("image/png", { size: [300, 200] }))?.formats).toContain("pdf");
  expect(optionsOf(view("image/png"))?.formats).not.toContain("svg");
  expect(optionsOf(view("text/plain"))).toBeNull();
});

it("converts between pixels and inches", () => {
  const inches = converted({ ...CHOICE, dpi: 100 }, "in");
  expect(inches).toMatchObject({ width: 3, height: 2, unit: "in" });
  expect(converted(inches, "px")).toMatchObject({ width: 300, height: 200, unit: "px" });
  expect(pixelsOf({ ...inches, dpi: 300 })).toEqual({ width: 900, height: 600 });
});

it("keeps the proportion of what has one", () => {
  expect(resized(CHOICE, "width", 600, RATIO, MADE)).toMatchObject({ width: 600, height: 400 });
  expect(resized(CHOICE, "height", 100, RATIO, MADE)).toMatchObject({ width: 150, height: 100 });
  expect(resized(CHOICE, "width", 600, FREE, MADE)).toMatchObject({ width: 600, height: 200 });
});

it.each([
  [{ width: 0 }, false],
  [{ width: 16_001 }, false],
  [{ width: 15_000, height: 15_000 }, false],
  [{ dpi: NaN }, false],
  [{ width: 4000, height: 3000 }, true],
])("says of %j whether it can be", (change, possible) => {
  expect(isPossible({ ...CHOICE, ...change })).toBe(possible);
});

it("asks for it as made until a size is chosen", () => {
  expect(shotOf(CHOICE, FREE, MADE)).toEqual({ scale: 1, transparent: false, made: true });
  expect(shotOf({ ...CHOICE, width: 400 }, FREE, MADE)).toEqual({ scale: 1, transparent: false, size: { width: 400, height: 200 } });
  expect(shotOf({ ...CHOICE, height: 999 }, FLOW, MADE)).toMatchObject({ made: true });
});

it("lays out fewer pixels of the page for more dots in an inch", () => {
  expect(shotOf({ ...CHOICE, width: 600, height: 400, dpi: 192 }, FREE, MADE)).toEqual({ scale: 2, transparent: false, made: true });
  expect(shotOf({ ...CHOICE, dpi: 192 }, FREE, MADE)).toMatchObject({ scale: 2, size: { width: 150, height: 100 } });
});

it("takes pictures of what is shown, and of nothing else", async () => {
  const snapshot = vi.fn().mockResolvedValue(new Blob(["png"]));
  const { output } = view("text/html");
  const pane = { figures: {}, seeing: { shown: view("text/html"), snapshot } } as never;
  await picture(pane, output, { ...CHOICE, transparent: true }, FLOW, MADE);
  expect(snapshot).toHaveBeenCalledWith("png", { scale: 1, transparent: true, made: true });
  await expect(picture(pane, { ...output, id: 2 }, CHOICE, FLOW, MADE)).rejects.toThrow("another output is shown by now");
});

it("lets the figure keeper draw figures", async () => {
  const render = vi.fn().mockResolvedValue(new Blob(["pdf"]));
  const { output } = view("image/png", { size: [300, 200] });
  await picture({ figures: { render }, seeing: undefined } as never, output, { ...CHOICE, format: "pdf", dpi: 100 }, FREE, MADE);
  expect(render).toHaveBeenCalledWith(output, "application/pdf", { width: 300, height: 200, dpi: 100 });
});

it("says in a PNG how many dots make an inch, as the figure keeper does", async () => {
  const snapshot = vi.fn(async (format: string) => new Blob(["picture"], { type: `image/${format}` }));
  const pane = { figures: {}, seeing: { shown: view("text/html"), snapshot } } as never;
  const take = (format: Choice["format"]) => picture(pane, view("text/html").output, { ...CHOICE, format, dpi: 300 }, FLOW, MADE);
  expect(await (await take("png")).text()).toContain("pHYs");
  expect(await (await take("jpeg")).text()).toBe("picture");
});
