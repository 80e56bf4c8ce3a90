/** `text/latex`: formulas by KaTeX, its fonts included. */
import { formulas } from "./formulas.ts";
import { text, type Bundle, type Cleanup } from "./renderer.ts";

export async function render(el: HTMLElement, bundle: Bundle): Promise<Cleanup> {
  const host = document.createElement("div");
  host.style.fontSize = "1.35rem";
  await formulas.drawLatex(host, text(bundle), bundle);
  el.className = "center";
  el.replaceChildren(host);
  await document.fonts.ready;
  return () => {};
}
