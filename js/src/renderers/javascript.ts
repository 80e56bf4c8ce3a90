/** `application/javascript`: run with `element`, as in JupyterLab (a node) and the classic notebook (a jQuery object). */
import { runPreludes } from "../frame/companions.ts";
import { linked, type Bundle, type Cleanup } from "./renderer.ts";

export async function render(el: HTMLElement, bundle: Bundle): Promise<Cleanup> {
  el.className = "sheet";
  await runPreludes(bundle.companions);
  const run = new Function("element", linked(bundle)) as (element: HTMLElement) => unknown;
  await run(both(el));
  return () => {};
}

/** The node, with the few methods of a jQuery object that published snippets call on `element`. */
function both(el: HTMLElement): HTMLElement {
  const native = el.append.bind(el);
  const parsed = (part: unknown): unknown =>
    typeof part === "string" && /^\s*</.test(part) ? document.createRange().createContextualFragment(part) : part;
  return Object.assign(el, {
    0: el,
    length: 1,
    get: () => el,
    append: (...parts: unknown[]) => (native(...(parts.map(parsed) as (Node | string)[])), el),
    html: (source: string) => (el.replaceChildren(document.createRange().createContextualFragment(source)), el),
    text: (source: string) => ((el.textContent = source), el),
  });
}
