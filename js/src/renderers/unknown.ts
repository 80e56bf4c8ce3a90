/** A MIME type that nothing here draws: its name, its plain text if it has one, and a way to save it. */
import { stripAnsi } from "../ansi.ts";
import type { Cleanup } from "./renderer.ts";

export interface Unknown {
  mime: string;
  /** In bytes. */
  size: number;
  plain: string | null;
  save(): void;
}

export function render(el: HTMLElement, { mime, size, plain, save }: Unknown): Cleanup {
  const card = document.createElement("div");
  card.className = "unknown";
  const button = element("button", "Save the data");
  button.className = "button";
  button.addEventListener("click", save);
  card.append(element("code", mime), element("p", `The pane has no renderer for this MIME type. ${bytes(size)}.`));
  if (plain !== null) card.append(element("pre", stripAnsi(plain)));
  card.append(button);
  el.replaceChildren(card);
  return () => el.replaceChildren();
}

/** A number of bytes for people. */
export function bytes(n: number): string {
  const units = ["bytes", "kB", "MB", "GB"];
  const power = n < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(n) / 3));
  return `${power === 0 ? n : (n / 1000 ** power).toPrecision(3)} ${units[power]}`;
}

function element(tag: string, text: string): HTMLElement {
  const el = document.createElement(tag);
  el.textContent = text;
  return el;
}
