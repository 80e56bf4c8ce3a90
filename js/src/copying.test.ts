import { expect, it } from "vitest";
import { LARGEST, written } from "./copying.ts";

const blob = (text: string, type: string) => new Blob([text], { type });

it.each([
  ["text/markdown", "# Losses", "# Losses"],
  ["text/html", "<b>bold</b>", "<b>bold</b>"],
  ["text/latex", "$x^2$", "$x^2$"],
  ["text/plain", "a ``` b", "````\na ``` b\n````"],
  ["application/json", "[1]\n", "```json\n[1]\n```"],
  ["image/png", "PNG", "![The \\[one\\] plot](data:image/png;base64,UE5H)"],
  ["application/pdf", "PDF", "[The \\[one\\] plot](data:application/pdf;base64,UERG)"],
])("writes %s as Markdown", async (mime, content, markdown) => {
  expect(await written("markdown", blob(content, mime), "The [one]\n plot")).toBe(markdown);
});

it.each([
  ["text/html", "<b>bold</b>", "<b>bold</b>"],
  ["text/plain", "1 < 2", "<pre><code>1 &lt; 2</code></pre>"],
  ["image/svg+xml", "<svg/>", '<img src="data:image/svg+xml;base64,PHN2Zy8+" alt="&quot;A&quot; &amp; B">'],
  ["application/pdf", "PDF", '<a href="data:application/pdf;base64,UERG">&quot;A&quot; &amp; B</a>'],
])("writes %s as HTML", async (mime, content, html) => {
  expect(await written("html", blob(content, mime), '"A" & B')).toBe(html);
});

it("holds any bytes in an address", async () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 256);
  const address = await written("data-uri", new Blob([bytes], { type: "image/png" }), "");
  const [head, tail] = address.split(",") as [string, string];
  expect(head).toBe("data:image/png;base64");
  expect(Uint8Array.from(atob(tail), (each) => each.charCodeAt(0))).toEqual(bytes);
  expect(await written("data-uri", blob("é", "text/plain"), "")).toBe("data:text/plain;charset=utf-8;base64,w6k=");
});

it("refuses what no text should hold", async () => {
  const large = { size: LARGEST + 1, type: "image/png" } as Blob;
  await expect(written("html", large, "")).rejects.toThrow("save it as a file");
});
