import { expect, it, vi } from "vitest";
import { placed, preludeHtml } from "./companions.ts";

const bytes = (text: string): ArrayBuffer => new TextEncoder().encode(text).buffer as ArrayBuffer;
let made = 0;
vi.stubGlobal("URL", Object.assign(URL, { createObjectURL: () => `blob:${++made}` }));

it("puts an address of the frame's own in the place of each URL, the longest first", () => {
  const assets = [
    { name: "https://cdn.org/a.js", content: bytes("1") },
    { name: "https://cdn.org/a.js?v=2", content: bytes("2") },
  ];
  const text = placed('<script src="https://cdn.org/a.js?v=2"></script><script src="https://cdn.org/a.js"></script>', assets);
  expect(text).toMatch(/^<script src="blob:\d+"><\/script><script src="blob:\d+"><\/script>$/);
  expect(placed("https://cdn.org/a.js", assets)).toBe(placed("https://cdn.org/a.js", assets));
});

it("leaves alone what only widgets know", () => {
  expect(placed("text:00", [{ name: "text:00", content: bytes("1") }])).toBe("text:00");
});

it("makes HTML of load messages, in their order", () => {
  const preludes = [
    { type: "text/html", content: bytes("<style>a{}</style>") },
    { type: "application/javascript", content: bytes("run()") },
  ];
  expect(preludeHtml({ preludes, assets: [] })).toMatch(/^<style>a{}<\/style>\n<script src="blob:\d+"><\/script>$/);
});
