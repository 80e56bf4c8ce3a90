import { expect, it } from "vitest";
import { memoryStorage } from "./storage.ts";

it("keeps strings until it is cleared", () => {
  const storage = memoryStorage();
  storage.setItem("a", 1 as unknown as string);
  expect([storage.getItem("a"), storage.key(0), storage.length]).toEqual(["1", "a", 1]);
  storage.removeItem("a");
  expect(storage.getItem("a")).toBeNull();
  storage.setItem("b", "2");
  storage.clear();
  expect(storage.length).toBe(0);
});
