/** Vega and Vega-Lite, versions 5 and 6: drawn by vega-embed, with no way to the network. */
import { shrink } from "./picture.ts";
import { json, type Bundle, type Cleanup } from "./renderer.ts";

interface View {
  toCanvas(scale: number): Promise<HTMLCanvasElement>;
}

interface Result {
  view: View;
  finalize(): void;
}

interface Vega {
  embed(el: HTMLElement, spec: object, options: object): Promise<Result>;
}

interface Spec {
  usermeta?: { embedOptions?: Record<string, unknown> };
}

const drawn = new WeakMap<HTMLElement, Result>();

export async function render(el: HTMLElement, bundle: Bundle): Promise<Cleanup> {
  const vega = await bundle.library<Vega>("vega");
  el.className = "center paper";
  const host = document.createElement("div");
  const spec = json<Spec>(bundle);
  const result = await vega.embed(host, spec, options(bundle, spec));
  drawn.get(el)?.finalize();
  drawn.set(el, result);
  el.replaceChildren(host);
  return () => drawn.get(el)?.finalize();
}

/** Draws the new version beside the old one and swaps them, so that nothing flashes. */
export async function update(el: HTMLElement, bundle: Bundle): Promise<void> {
  await render(el, bundle);
}

export async function picture(el: HTMLElement): Promise<Blob | null> {
  const canvas = await drawn.get(el)!.view.toCanvas(1);
  return shrink(canvas, canvas.width, canvas.height);
}

function options(bundle: Bundle, spec: Spec): object {
  const lite = bundle.mime.includes("vegalite");
  const own = { ...(bundle.metadata.embed_options as object), ...spec.usermeta?.embedOptions };
  return {
    actions: { export: true, source: false, compiled: false, editor: false },
    ...own,
    mode: lite ? "vega-lite" : "vega",
    loader: offline(bundle),
    logLevel: 1, // errors only: that a version 5 is drawn by version 6 is no news to the user
  };
}

/** A Vega loader that loads nothing and says so. */
function offline(bundle: Bundle): object {
  const refuse = (uri: string) => {
    bundle.notice(`no network in outputs: the data at ${uri} was not loaded`);
    return Promise.reject(new Error(`no network in outputs: ${uri}`));
  };
  return {
    load: refuse,
    http: refuse,
    file: refuse,
    // Marks may link; the frame asks the user before it opens anything.
    sanitize: (uri: string, context: { context?: string }) =>
      context.context === "href" || uri.startsWith("data:") ? Promise.resolve({ href: uri }) : refuse(uri),
  };
}
