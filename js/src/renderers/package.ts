/**
 * A MIME type that a package of the user's draws, by a JavaScript module that came with the output.
 *
 * The module exports `render(el, bundle)`; what it is given and may return is said in `ipyweb/session/renderers.py`.
 */
import type { Bundle, Cleanup } from "./renderer.ts";

interface Module {
  render?(el: HTMLElement, bundle: Pick<Bundle, "mime" | "bytes" | "metadata">): unknown;
}

export async function render(el: HTMLElement, { mime, bytes, metadata, companions }: Bundle): Promise<Cleanup> {
  const url = URL.createObjectURL(new Blob([companions.renderer!], { type: "text/javascript" }));
  const module = (await import(/* @vite-ignore */ url)) as Module;
  URL.revokeObjectURL(url);
  if (!module.render) throw new Error(`the renderer of ${mime} exports no function "render"`);
  const cleanup = await module.render(el, { mime, bytes, metadata });
  return typeof cleanup === "function" ? (cleanup as Cleanup) : () => {};
}
