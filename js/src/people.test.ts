import { expect, it } from "vitest";
import { bytes, hue, place } from "./people.ts";
import type { OutputRecord } from "./protocol.ts";

it.each([[0, "0 B"], [640, "640 B"], [1024, "1.0 kB"], [20_480, "20 kB"], [1.25 * 2 ** 20, "1.3 MB"], [2 ** 30, "1.0 GB"], [3e15, "2728 TB"]])("writes %d bytes as %s", (count, text) => {
  expect(bytes(count)).toBe(text);
});

it("gives a session the same hue everywhere", () => {
  expect(hue("a".repeat(32))).toBe(hue("a".repeat(32)));
});

it("says where the code stands", () => {
  const at = (source: object) => place({ source } as OutputRecord);
  expect([at({ cell: 7, file: "x" }), at({ file: "/home/ada/train.py", line: 42 }), at({})]).toEqual(["In [7]", "train.py:42", ""]);
});
