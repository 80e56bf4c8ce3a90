import { crc32 } from "node:zlib";
import { expect, it } from "vitest";
import { withDensity } from "./png.ts";

const HEAD = Uint8Array.from({ length: 33 }, (_, index) => index);
const REST = Uint8Array.of(7, 8, 9);

it("puts the dots of an inch between a PNG's header and the rest", async () => {
  const made = withDensity(new Blob([HEAD, REST], { type: "image/png" }), 300);
  expect(made.type).toBe("image/png");
  const bytes = Buffer.from(await made.arrayBuffer());
  expect(bytes.subarray(0, 33)).toEqual(Buffer.from(HEAD));
  expect(bytes.subarray(54)).toEqual(Buffer.from(REST));
  const chunk = bytes.subarray(33, 54);
  expect(chunk.readUInt32BE(0)).toBe(9);
  expect(chunk.toString("latin1", 4, 8)).toBe("pHYs");
  expect([chunk.readUInt32BE(8), chunk.readUInt32BE(12), chunk[16]]).toEqual([11811, 11811, 1]);
  expect(chunk.readUInt32BE(17)).toBe(crc32(chunk.subarray(4, 17)));
});
