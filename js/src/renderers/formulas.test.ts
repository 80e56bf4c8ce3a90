import { expect, it } from "vitest";
import { formulas } from "./formulas.ts";
import type { Bundle } from "./renderer.ts";

/** Hides the formulas of a text and draws them as `[tex]` and `[[tex]]`. */
async function drawn(markdown: string): Promise<string> {
  const { source, restore } = formulas.hide(markdown);
  const host = document.createElement("div");
  host.textContent = source;
  const katex = {
    render: (tex: string, el: HTMLElement, { displayMode }: { displayMode: boolean }) => (el.textContent = displayMode ? `[[${tex}]]` : `[${tex}]`),
  };
  await restore(host, { library: async () => ({ katex, styles: "" }) } as unknown as Bundle);
  return host.textContent;
}

it.each([
  ["a $x_1$ b", "a [x_1] b"],
  ["$$\\int f$$", "[[\\int f]]"],
  ["\\(a\\) and \\[b\\]", "[a] and [[b]]"],
  ["\\begin{align}a &= b\\\\ c\\end{align}", "[[\\begin{align}a &= b\\\\ c\\end{align}]]"],
  ["it costs $5 and $6", "it costs $5 and $6"],
  ["`$HOME$` and $x$", "`$HOME$` and [x]"],
  ["```sh\necho $a$ $b$\n```\n$c$", "```sh\necho $a$ $b$\n```\n[c]"],
  ["an escaped \\$a\\$ dollar", "an escaped \\$a\\$ dollar"],
])("reads %j", async (markdown, expected) => {
  expect(await drawn(markdown)).toBe(expected);
});

it("draws formulas in the texts of an element, and leaves the rest as it is", async () => {
  const host = document.createElement("div");
  host.innerHTML = "<b>a &lt; b</b> costs <i>$x &lt; 1$</i>";
  await formulas.typeset(host, { library: async () => ({ katex: { render: (tex: string, el: HTMLElement) => (el.textContent = `[${tex}]`) }, styles: "" }) } as unknown as Bundle);
  expect(host.textContent).toBe("a < b costs [x < 1]");
  expect(host.querySelector("i span span")?.textContent).toBe("[x < 1]");
});
