import { beforeEach, expect, it, vi } from "vitest";
import { Ahead, neighbours } from "./ahead.ts";
import type { OutputRecord } from "./protocol.ts";

const view = (id: number, mime = "image/png", size = 100) => ({
  mime,
  output: { id, data: { [mime]: { sha256: String(id), size, url: `c/${id}` } } } as unknown as OutputRecord,
});

beforeEach(() => {
  vi.restoreAllMocks();
  vi.spyOn(HTMLImageElement.prototype, "decode").mockResolvedValue();
});

it("goes on in the direction of the user first", () => {
  expect(neighbours(5, 10, 1)).toEqual([6, 7, 4, 8]);
  expect(neighbours(5, 10, -1)).toEqual([4, 3, 6, 2]);
  expect(neighbours(0, 2, -1)).toEqual([1]);
  expect(neighbours(0, 1, 1)).toEqual([]);
});

it("hands an image over once", () => {
  const ahead = new Ahead();
  ahead.fetch([view(1)]);
  expect(ahead.take("c/1")?.getAttribute("src")).toBe("c/1");
  expect(ahead.take("c/1")).toBeUndefined();
});

it("keeps only the latest few", () => {
  const ahead = new Ahead();
  for (let id = 1; id <= 20; id++) ahead.fetch([view(id)]);
  expect(ahead.take("c/8")).toBeUndefined();
  expect(ahead.take("c/9")).toBeDefined();
});

it("fetches data for frames once, and nothing that is large", () => {
  const fetched = vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response("{}"));
  const ahead = new Ahead();
  ahead.fetch([view(1, "text/html"), view(1, "text/html"), view(2, "text/html", 10 ** 8)]);
  expect(fetched).toHaveBeenCalledTimes(1);
});
