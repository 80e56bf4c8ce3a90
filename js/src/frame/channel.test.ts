import { expect, it } from "vitest";
import { cut, parseFromFrame } from "./channel.ts";

it.each([
  { type: "ready", turn: 3 },
  { type: "failed", turn: 3, message: "no" },
  { type: "key", chord: "ArrowLeft" },
  { type: "zoom", pixels: 3, x: 1, y: 2 },
  { type: "snapshot", number: 1, bytes: null, problem: "it takes too long" },
  { type: "comms" },
  { type: "pong" },
])("takes %j", (message) => {
  expect(parseFromFrame(message)).toEqual(message);
});

it.each([
  null,
  "ready",
  [],
  { type: "delete" },
  { type: "toString" },
  { type: "__proto__" },
  { type: "ready" },
  { type: "ready", turn: NaN },
  { type: "ready", turn: "1" },
  { type: "pan", x: Infinity, y: 0 },
  { type: "failed", turn: 1, message: "x".repeat(5000) },
  { type: "key", chord: { toString: () => "Delete" } },
  { type: "picture", turn: 1, bytes: new ArrayBuffer(2 ** 21) },
  { type: "picture", turn: 1, bytes: "data:image/svg+xml,<svg/>" },
])("refuses what a frame may not say (%#)", (message) => {
  expect(parseFromFrame(message)).toBeNull();
});

it("keeps only the fields it knows", () => {
  const hostile = JSON.parse('{"type":"link","href":"https://x","__proto__":{"polluted":1},"extra":1}') as unknown;
  expect(Object.keys(parseFromFrame(hostile)!)).toEqual(["type", "href"]);
});

it("cuts what is too long to be sent", () => {
  expect(parseFromFrame({ type: "notice", text: cut("x".repeat(9999)) })).not.toBeNull();
});
