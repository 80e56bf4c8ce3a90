import { expect, it } from "vitest";
import { overwritten, render } from "./text.ts";

const shown = (text: string): HTMLElement => {
  const el = document.createElement("div");
  render(el, new TextEncoder().encode(text).buffer);
  return el;
};

it("shows markup as text", () => {
  const el = shown("<img src=x onerror=alert(1)>\x1b[31m<b>red</b>");
  expect(el.querySelector("img, b")).toBeNull();
  expect(el.textContent).toBe("<img src=x onerror=alert(1)><b>red</b>");
});

it("colours what is coloured", () => {
  const [span] = shown("\x1b[1;32mok").querySelectorAll("span");
  expect([span?.className, span?.textContent]).toEqual(["ansi-bold", "ok"]);
});

it("shows the last state of a progress bar", () => {
  expect(overwritten("a\r\nb\n10%\r50%\r100%\ndone")).toBe("a\nb\n100%\ndone");
});
