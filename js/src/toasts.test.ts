import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Toasts } from "./toasts.svelte.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("says the latest for its whole time", () => {
  const toasts = new Toasts();
  toasts.say("one");
  vi.advanceTimersByTime(7000);
  toasts.say("two");
  vi.advanceTimersByTime(7000);
  expect(toasts.current).toEqual({ text: "two" });
  vi.advanceTimersByTime(1000);
  expect(toasts.current).toBeNull();
});

it("undoes what it says, once", () => {
  const toasts = new Toasts();
  const undone = vi.fn();
  toasts.say("Removed", undone);
  toasts.undo();
  toasts.undo();
  expect(undone).toHaveBeenCalledOnce();
});

it("says what could not be done, and why", async () => {
  const toasts = new Toasts();
  await toasts.attempt("saved", async () => {});
  expect(toasts.current).toBeNull();
  await toasts.attempt("saved", () => Promise.reject(new Error("the disk is full")));
  expect(toasts.current).toEqual({ text: "Not saved: the disk is full" });
});
