/**
 * Formulas in a text: `$…$`, `$$…$$`, `\(…\)`, `\[…\]` and bare `\begin{…}…\end{…}`, as Jupyter reads them.
 *
 * They are hidden from Markdown behind placeholders, because it would read `_` and `\\` in them as its own.
 */
import type { Bundle } from "./renderer.ts";

interface Formula {
  tex: string;
  display: boolean;
}

interface Katex {
  katex: { render(tex: string, el: HTMLElement, options: object): void };
  styles: string;
}

const CODE = [/(?:^|\n)(?<fence>`{3,}|~{3,})[^]*?\n\k<fence>/, /(?<ticks>`+)(?!`)[^]*?[^`]\k<ticks>(?!`)/];
const MATH = [
  /\$\$(?<dollars>[^]+?)\$\$/,
  /\\\[(?<brackets>[^]+?)\\\]/,
  /(?<block>\\begin\{(?<name>[a-zA-Z]+\*?)\}[^]+?\\end\{\k<name>\})/,
  /\\\((?<parentheses>[^]+?)\\\)/,
  /(?<![\\$])\$(?![\s$])(?<inline>(?:\\[^]|[^$\\])+?)(?<!\s)\$(?!\d)/,
];
const PIECES = new RegExp([...CODE, ...MATH].map((each) => each.source).join("|"), "g");
const MARK = "\uE000";

function parse(groups: Record<string, string | undefined>): Formula | undefined {
  const display = groups.dollars ?? groups.brackets ?? groups.block;
  const tex = display ?? groups.parentheses ?? groups.inline;
  return tex === undefined ? undefined : { tex, display: display !== undefined };
}

/** Takes the formulas out of `markdown`; `restore` draws them where their placeholders ended up. */
function hide(markdown: string): { source: string; restore(host: HTMLElement, bundle: Bundle): Promise<void> } {
  const found: Formula[] = [];
  const source = markdown.replaceAll(MARK, "").replace(PIECES, (piece, ...rest) => {
    const formula = parse(rest.at(-1) as Record<string, string | undefined>);
    return formula ? `${MARK}${found.push(formula) - 1}${MARK}` : piece;
  });
  const restore = async (host: HTMLElement, bundle: Bundle) => {
    if (found.length > 0) await draw(host, found, bundle);
  };
  return { source, restore };
}

async function draw(host: HTMLElement, found: Formula[], bundle: Bundle): Promise<void> {
  const { katex, styles } = await bundle.library<Katex>("katex");
  addStyles(styles);
  const walker = document.createTreeWalker(host, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const node of texts.filter((each) => each.data.includes(MARK))) {
    const parts = node.data.split(MARK);
    node.replaceWith(...parts.map((part, i) => (i % 2 ? drawn(katex, found[Number(part)]!) : part)));
  }
}

function drawn(katex: Katex["katex"], { tex, display }: Formula): HTMLElement {
  const el = document.createElement("span");
  katex.render(tex, el, { displayMode: display, throwOnError: false, strict: "ignore", trust: false });
  return el;
}

function addStyles(styles: string): void {
  if (document.getElementById("katex-styles")) return;
  const style = document.createElement("style");
  style.id = "katex-styles";
  style.textContent = styles;
  document.head.append(style);
}

/** Draws a text that is all formulas, or text with formulas in it, as `text/latex` is. */
async function drawLatex(host: HTMLElement, latex: string, bundle: Bundle): Promise<void> {
  const hidden = hide(latex);
  const whole = hidden.source === latex;
  host.textContent = whole ? `${MARK}0${MARK}` : hidden.source;
  if (whole) await draw(host, [{ tex: latex, display: true }], bundle);
  else await hidden.restore(host, bundle);
}

/** Draws the formulas in an element's texts in their places. */
async function typeset(host: HTMLElement, bundle: Bundle): Promise<void> {
  const walker = document.createTreeWalker(host, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const node of texts) {
    const { source, restore } = hide(node.data);
    if (source === node.data) continue;
    const span = document.createElement("span");
    span.textContent = source;
    node.replaceWith(span);
    await restore(span, bundle);
  }
}

export const formulas = { hide, drawLatex, typeset };
