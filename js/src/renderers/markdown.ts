/** `text/markdown`: markdown-it, cleaned by DOMPurify, with formulas between `$` by KaTeX. */
import { formulas } from "./formulas.ts";
import { text, type Bundle, type Cleanup } from "./renderer.ts";

interface Markdown {
  MarkdownIt: new (options: object) => { render(source: string): string };
  DOMPurify: { sanitize(html: string, options: object): string };
}

export async function render(el: HTMLElement, bundle: Bundle): Promise<Cleanup> {
  const { MarkdownIt, DOMPurify } = await bundle.library<Markdown>("markdown");
  const { source, restore } = formulas.hide(text(bundle));
  const html = new MarkdownIt({ html: true, linkify: true }).render(source);
  const host = document.createElement("div");
  host.innerHTML = DOMPurify.sanitize(html, { USE_PROFILES: { html: true, svg: true, mathMl: true } });
  await restore(host, bundle);
  el.className = "prose";
  el.replaceChildren(host);
  return () => {};
}
