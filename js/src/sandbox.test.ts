import { expect, it } from "vitest";
import { Bucket, frameUrl, Frames, mayOwnHost } from "./sandbox.ts";

it.each([
  ["http://127.0.0.1:20123/#o=1", true],
  ["http://localhost:8000/", true],
  ["http://[::1]:20123/", true],
  ["http://127.0.0.1:8888/proxy/20123/", false],
  ["https://localhost:8000/", false],
  ["http://hub.example.org/", false],
  ["http://localhost.example.org/", false],
])("%s gives frames a host of their own: %s", (page, expected) => {
  expect(mayOwnHost(new URL(page), "")).toBe(expected);
});

it("puts no frame on a host of its own in WebKit", () => {
  expect(mayOwnHost(new URL("http://127.0.0.1:20123/"), "Apple Computer, Inc.")).toBe(false);
});

it("puts each frame on a host name of its own, at the hub's port", () => {
  const page = new URL("http://127.0.0.1:20123/#o=1");
  const [a, b] = [1, 2].map(() => frameUrl(page, "c/00/frame.html", true));
  expect(a).toMatch(/^http:\/\/[0-9a-f]{16}\.localhost:20123\/c\/00\/frame\.html$/);
  expect(a).not.toBe(b);
});

it("lets no frame leave the page's host where frames share it", () => {
  const frames = (page: string) => new Frames(document.body, new URL(page), async () => new ArrayBuffer());
  const policies = () => [...document.head.querySelectorAll<HTMLMetaElement>("meta[http-equiv]")].map(({ content }) => content);
  frames("http://127.0.0.1:20123/");
  expect(policies()).toEqual([]);
  frames("https://x.org/user/proxy/1/");
  expect(policies()).toEqual(["frame-src 'self'"]);
});

it("keeps a path prefix where frames share the page's host", () => {
  expect(frameUrl(new URL("https://x.org/user/proxy/1/#o=1"), "c/00/frame.html", false)).toBe("https://x.org/user/proxy/1/c/00/frame.html");
});

it("lets a burst through, then only the rate", () => {
  let now = 0;
  const bucket = new Bucket(10, 3, () => now);
  expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false]);
  now = 100;
  expect([1, 2].map(() => bucket.take())).toEqual([true, false]);
});
