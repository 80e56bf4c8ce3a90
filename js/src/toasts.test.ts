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
