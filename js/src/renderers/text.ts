/** `text/plain` in the shell: text nodes and spans, with ANSI colours. */
import { parseAnsi, type Run } from "../ansi.ts";
import type { Cleanup } from "./renderer.ts";

export function render(el: HTMLElement, bytes: ArrayBuffer): Cleanup {
  const pre = document.createElement("pre");
  pre.className = "text";
  pre.tabIndex = 0;
  pre.append(...parseAnsi(overwritten(new TextDecoder().decode(bytes))).map(span));
  el.replaceChildren(pre);
  return () => el.replaceChildren();
}

/** Applies carriage returns as a terminal does, so that a progress bar shows its last state only. */
export function overwritten(text: string): string {
  return text.replace(/\r+\n/g, "\n").replace(/^.*\r(?!$)/gm, "");
}

function span(run: Run): Node {
  const classes = (["bold", "dim", "italic", "underline", "inverse", "strike"] as const).filter((name) => run[name]);
  if (classes.length === 0 && run.color === null && run.background === null) return new Text(run.text);
  const el = document.createElement("span");
  el.className = classes.map((name) => `ansi-${name}`).join(" ");
  el.style.color = css(run.color);
  el.style.backgroundColor = css(run.background);
  el.textContent = run.text;
  return el;
}

function css(color: number | string | null): string {
  return typeof color === "number" ? `var(--ansi-${color})` : (color ?? "");
}
