import { afterEach, expect, it } from "vitest";
import { addressOf, base, point } from "./address.ts";

const BEFORE = location.href;

afterEach(() => history.replaceState(null, "", BEFORE));

it("keeps of the address what is before query and fragment, whatever path prefix it has", () => {
  history.replaceState(null, "", "/proxy/20123/?a=b#token=secret");
  expect(base()).toBe(`${location.origin}/proxy/20123/`);
  expect(addressOf(17)).toBe(`${location.origin}/proxy/20123/#o=17`);
});

it("leaves the output in the address bar, and no token", () => {
  history.replaceState(null, "", "/#token=secret&o=17");
  point(17);
  expect(location.hash).toBe("#o=17");
  point(null);
  expect(location.hash).toBe("");
});
