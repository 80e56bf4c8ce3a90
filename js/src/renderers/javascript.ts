/** `application/javascript`: run with `element`, as in JupyterLab (a node) and the classic notebook (a jQuery object). */
import { runPreludes } from "../frame/companions.ts";
import { linked, text, type Bundle, type Cleanup } from "./renderer.ts";

export async function render(el: HTMLElement, bundle: Bundle): Promise<Cleanup> {
  el.className = "sheet";
  const name = definedModule(text(bundle));
  if (name !== undefined) {
    el.textContent = `Defines ${name}, for the widgets that are shown with it.`;
    return () => {};
  }
  await runPreludes(bundle.companions);
  const run = new Function("element", linked(bundle)) as (element: HTMLElement) => unknown;
  await run(both(el));
  return () => {};
}

/** The name of the AMD module that a text defines, and does no more; its session gives it to the widgets that ask for it. */
export const definedModule = (source: string): string | undefined =>
  /^(?:\s|\/\/[^\n]*\n|require(?:js)?\.undef\([^)]*\);?)*define\(\s*["']([^"']+)["']/.exec(source)?.[1];

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
