import { expect, it } from "vitest";
import { Drawings } from "./drawings.ts";
import type { OutputRecord } from "./protocol.ts";

const SIZE = { width: 8, height: 6, dpi: 100 };
const output = (id: number, version = 1) => ({ id, version }) as OutputRecord;
const drawing = (bytes: number) => ({ blob: { size: bytes } as Blob, live: true, gone: false, reason: "" });

it("keeps what was drawn, by version and size", () => {
  const drawings = new Drawings();
  const drawn = drawing(10);
  drawings.keep(output(1), SIZE, drawn);
  expect(drawings.get(output(1), SIZE)).toBe(drawn);
  expect(drawings.get(output(1, 2), SIZE)).toBeUndefined();
  expect(drawings.get(output(1), { ...SIZE, dpi: 200 })).toBeUndefined();
});

it("lets the oldest go when it holds too much, but never the newest", () => {
  const drawings = new Drawings();
  for (const id of [1, 2, 3]) drawings.keep(output(id), SIZE, drawing(20 * 2 ** 20));
  expect([1, 2, 3].map((id) => drawings.get(output(id), SIZE) !== undefined)).toEqual([false, true, true]);
  drawings.keep(output(4), SIZE, drawing(100 * 2 ** 20));
  expect(drawings.get(output(4), SIZE)).toBeDefined();
});
