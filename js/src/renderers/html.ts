/**
 * `text/html`: the frame's document is written anew from it, so that its scripts run in order, as on any page.
 *
 * A fragment gets the pane's own type and table styles; a whole document is left as it is.
 */
import { linked, type Bundle, type Cleanup } from "./renderer.ts";
import { preludeHtml } from "../frame/companions.ts";
import { FRAGMENT_STYLES } from "../frame/styles.ts";

/** Longest wait for the pictures and scripts of the document, in milliseconds. */
const PATIENCE = 3000;

export async function render(_el: HTMLElement, bundle: Bundle): Promise<Cleanup> {
  const source = linked(bundle);
  const { theme } = document.documentElement.dataset;
  const loaded = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  document.open();
  const finished = new Promise((resolve) => addEventListener("load", resolve, { once: true }));
  document.write(isDocument(source) ? source : fragment(preludeHtml(bundle.companions) + source, theme ?? "light"));
  document.close();
  await Promise.race([loaded, finished]);
  return () => {};
}

function isDocument(source: string): boolean {
  return /^\s*(?:<!--[^]*?-->\s*)*<(?:!doctype|html)\b/i.test(source);
}

function fragment(source: string, theme: string): string {
  return `<!doctype html><html lang="en" data-theme="${theme}" data-fragment><head><meta charset="utf-8"><title>output</title><style>${FRAGMENT_STYLES}</style></head><body>${source}`;
}
