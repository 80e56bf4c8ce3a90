import { expect, it, vi } from "vitest";
import { drawOutput } from "./outputs.ts";
import type { Bundle } from "./renderer.ts";

const draw = vi.fn(async () => () => {});
const widget = vi.fn(async () => () => {});

async function drawn(output: object): Promise<HTMLElement> {
  const el = document.createElement("div");
  await drawOutput(el, output as Parameters<typeof drawOutput>[1], { draw } as unknown as Bundle, widget);
  return el;
}

it("draws streams as a terminal shows them", async () => {
  expect((await drawn({ output_type: "stream", name: "stdout", text: ["1%\r", "2%"] })).textContent).toBe("2%");
  const warned = await drawn({ output_type: "stream", name: "stderr", text: "\u001b[1mno\u001b[0m" });
  expect(warned.querySelector("pre.stderr .ansi-bold")?.textContent).toBe("no");
});

it("draws errors with their colours", async () => {
  expect((await drawn({ output_type: "error", traceback: ["\u001b[31mValueError\u001b[0m", "line 1"] })).textContent).toBe("ValueError\nline 1");
});

it("draws the richest of what it is given", async () => {
  const data = { "text/plain": "Figure", "application/vnd.plotly.v1+json": { data: [] } };
  await drawn({ output_type: "display_data", data, metadata: { "application/vnd.plotly.v1+json": { fill: true } } });
  expect(draw).toHaveBeenCalledWith(expect.anything(), "application/vnd.plotly.v1+json", new TextEncoder().encode('{"data":[]}'), { fill: true });
  await drawn({ output_type: "display_data", data: { ...data, "application/vnd.jupyter.widget-view+json": { model_id: "a" } } });
  expect(widget).toHaveBeenCalledWith(expect.anything(), "a");
});

it("draws HTML in its place, and plain text where nobody knows more", async () => {
  expect((await drawn({ output_type: "execute_result", data: { "text/html": ["<b>", "bold</b>"] } })).innerHTML).toBe("<b>bold</b>");
  expect((await drawn({ output_type: "display_data", data: { "application/vnd.acme+json": {}, "text/plain": "acme" } })).textContent).toBe("acme");
  expect((await drawn({ output_type: "display_data", data: {} })).childNodes).toHaveLength(0);
});
