import { beforeEach, expect, it } from "vitest";
import { forgetLooked, keepLooked, looked } from "./looked.ts";

beforeEach(() => localStorage.clear());

it("keeps the newest that was seen, of each hub and project", () => {
  keepLooked("hub", "/p", 7);
  keepLooked("hub", "/p", 3);
  keepLooked("hub", null, 9);
  expect([looked("hub", "/p"), looked("hub", null), looked("another", "/p")]).toEqual([7, 9, null]);
});

it("forgets what was seen at a hub whose ids begin anew", () => {
  keepLooked("hub", null, 9);
  forgetLooked("hub", null);
  expect(looked("hub", null)).toBeNull();
});
