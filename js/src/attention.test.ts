import { beforeEach, expect, it } from "vitest";
import { Attention } from "./attention.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

let now: number;
let told: string[];
let attention: Attention;

beforeEach(() => {
  [now, told] = [0, []];
  attention = new Attention({ left: () => told.push("left"), back: (long) => told.push(long ? "back from a break" : "back") }, () => now);
});

const pass = (time: number): void => {
  now += time;
  attention.tick();
};

it("takes a tab that was hidden for a while for a break", () => {
  attention.hidden = true;
  pass(5 * MINUTE);
  attention.hidden = false;
  expect(told).toEqual(["left", "back from a break"]);
});

it("takes a look into another tab for none", () => {
  attention.hidden = true;
  pass(5 * SECOND);
  attention.hidden = false;
  expect(told).toEqual(["left", "back"]);
});

it("notices that nobody has touched the pane for long, and the first touch after it", () => {
  pass(9 * MINUTE);
  expect(told).toEqual([]);
  pass(2 * MINUTE);
  pass(2 * MINUTE);
  expect(told).toEqual(["left"]);
  attention.touch();
  attention.touch();
  expect(told).toEqual(["left", "back from a break"]);
});

it("does not take what a hidden tab hears for somebody who looks", () => {
  attention.hidden = true;
  pass(5 * MINUTE);
  attention.touch();
  expect(told).toEqual(["left"]);
});
