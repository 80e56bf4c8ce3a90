import { expect, it, vi } from "vitest";
import { listenToPinches } from "./pinch.ts";
import { wheelFactor } from "./viewport.svelte.ts";

const gesture = (type: string, scale = 1): Event => Object.assign(new Event(type, { cancelable: true }), { scale, clientX: 3, clientY: 4 });

it("tells what each movement of a gesture zooms", () => {
  const target = new EventTarget();
  const factors: number[] = [];
  listenToPinches(target, (pixels) => factors.push(wheelFactor(pixels, true)));
  for (const scale of [1.5, 3]) {
    target.dispatchEvent(gesture("gesturestart"));
    for (const each of [scale, scale * 2, scale]) target.dispatchEvent(gesture("gesturechange", each));
  }
  for (const [i, factor] of [1.5, 2, 0.5, 3, 2, 0.5].entries()) expect(factors[i]).toBeCloseTo(factor);
});

it("keeps the page as it is, and leaves alone what an output uses itself", () => {
  const target = new EventTarget();
  const pinched = vi.fn();
  target.addEventListener("gesturechange", (event) => event.preventDefault(), { once: true });
  listenToPinches(target, pinched);
  const [theirs, ours] = [gesture("gesturechange", 2), gesture("gesturechange", 2)];
  for (const each of [theirs, ours]) target.dispatchEvent(each);
  expect(pinched).toHaveBeenCalledExactlyOnceWith(expect.any(Number), ours);
  expect(ours.defaultPrevented).toBe(true);
});
