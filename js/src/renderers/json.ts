/** `application/json` and GeoJSON: a tree whose branches are made when they are opened, a hundred at a time. */
import { json, type Bundle, type Cleanup } from "./renderer.ts";

const STEP = 100;
const LONGEST = 2000;

export function render(el: HTMLElement, bundle: Bundle): Cleanup {
  const value = json<unknown>(bundle);
  const root = typeof bundle.metadata.root === "string" ? bundle.metadata.root : "root";
  addStyles();
  el.className = "sheet";
  const tree = document.createElement("div");
  tree.className = "json";
  tree.append(node(root, value, bundle.metadata.expanded === true ? 3 : 1));
  el.replaceChildren(tree);
  return () => {};
}

/** One entry; the branches of the first `depth` levels are open. */
function node(name: string, value: unknown, depth: number): HTMLElement {
  return isBranch(value) ? branch(name, value, depth) : leaf(name, value);
}

function leaf(name: string, value: unknown): HTMLElement {
  const line = element("div", "leaf");
  const type = value === null ? "null" : typeof value;
  const written = JSON.stringify(value);
  const shown = written.length > LONGEST ? `${written.slice(0, LONGEST)}… ${written.length - LONGEST} more characters` : written;
  line.append(key(name), element("span", type, shown));
  return line;
}

function branch(name: string, value: object, depth: number): HTMLElement {
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.append(key(name), element("span", "count", describe(value)));
  details.append(summary);
  const fill = () => {
    if (details.childElementCount === 1) more(details, Object.keys(value), value, depth - 1, 0);
  };
  details.addEventListener("toggle", fill, { once: true });
  if (depth > 0) {
    fill();
    details.open = true;
  }
  return details;
}

/** Appends the entries from `start` on, and a button for the rest. */
function more(details: HTMLElement, names: string[], value: object, depth: number, start: number): void {
  const end = Math.min(names.length, start + STEP);
  const part = names.slice(start, end).map((name) => node(name, (value as Record<string, unknown>)[name], depth));
  details.append(...part);
  if (end === names.length) return;
  const button = element("button", "more", `${names.length - end} more`);
  button.addEventListener("click", () => {
    button.remove();
    more(details, names, value, depth, end);
  });
  details.append(button);
}

function isBranch(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function describe(value: object): string {
  const size = Object.keys(value).length;
  if (Array.isArray(value)) return `[ ${size} ]`;
  const type = (value as { type?: unknown }).type;
  return typeof type === "string" && type.length < 40 ? `${type} { ${size} }` : `{ ${size} }`;
}

function key(name: string): HTMLElement {
  return element("span", "key", name);
}

function element(tag: string, className: string, content = ""): HTMLElement {
  const el = document.createElement(tag);
  el.className = className;
  el.textContent = content;
  return el;
}

function addStyles(): void {
  if (document.getElementById("json-styles")) return;
  const style = element("style", "", STYLES);
  style.id = "json-styles";
  document.head.append(style);
}

const STYLES = `
.json { font: 13px/1.7 ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.json details > :not(summary) { margin-left: 1.35em; }
.json summary { cursor: pointer; list-style: none; border-radius: 4px; }
.json summary::before { content: ""; display: inline-block; width: .42em; height: .42em; margin: 0 .55em .12em .2em;
  border: solid var(--muted); border-width: 0 1.5px 1.5px 0; transform: rotate(-45deg); }
.json [open] > summary::before { transform: rotate(45deg); margin-bottom: .22em; }
.json summary:hover { background: var(--wash); }
.json .leaf { padding-left: 1.2em; }
.json .key::after { content: ": "; color: var(--muted); }
.json .count { color: var(--muted); }
.json .string { color: var(--string); } .json .number { color: var(--number); } .json :is(.boolean, .null) { color: var(--literal); }
.json .more { font: inherit; color: var(--accent); background: none; border: 0; padding: 0 1.2em; cursor: pointer; }
`;
