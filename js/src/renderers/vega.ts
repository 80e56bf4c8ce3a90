/** Vega and Vega-Lite, versions 5 and 6: drawn by vega-embed, with no way to the network but what the user allows. */
import { shrink } from "./picture.ts";
import { json, type Bundle, type Cleanup } from "./renderer.ts";

interface View {
  width(): number;
  width(pixels: number): View;
  runAsync(): Promise<View>;
  toCanvas(scale: number): Promise<HTMLCanvasElement>;
  toSVG(): Promise<string>;
}

interface Result {
  view: View;
  vgSpec: Scope & { width?: unknown };
  finalize(): void;
}

interface Vega {
  embed(el: HTMLElement, spec: object, options: object): Promise<Result>;
}

interface Spec {
  usermeta?: { embedOptions?: Record<string, unknown> };
}

interface Signal {
  name: string;
  update?: unknown;
  value?: unknown;
}

/** The part of a Vega specification, or of a group mark in it, that signals are in. */
export interface Scope {
  signals?: Signal[];
  marks?: Scope[];
}

/** Pixels of a plot below which its chart rather scrolls. */
const NARROWEST = 120;

const drawn = new WeakMap<HTMLElement, Result>();
/** Widths as made, of plots that may have any. */
const made = new WeakMap<Result, number>();
let filling = true;

export async function render(el: HTMLElement, bundle: Bundle): Promise<Cleanup> {
  await update(el, bundle);
  const observer = new ResizeObserver(() => void fit(el));
  observer.observe(el);
  return () => {
    observer.disconnect();
    drawn.get(el)?.finalize();
  };
}

/** Draws the new version beside the old one and swaps them, so that nothing flashes. */
export async function update(el: HTMLElement, bundle: Bundle): Promise<void> {
  const vega = await bundle.library<Vega>("vega");
  el.className = "center paper";
  const host = document.createElement("div");
  const spec = json<Spec>(bundle);
  const result = await vega.embed(host, spec, options(bundle, spec));
  if (isLite(bundle) && typeof result.vgSpec.width === "number") made.set(result, result.vgSpec.width);
  drawn.get(el)?.finalize();
  drawn.set(el, result);
  el.replaceChildren(host);
  await fit(el);
}

export function fill(el: HTMLElement, on: boolean): void {
  filling = on;
  void fit(el);
}

/** Makes a chart whose plot may have any width as narrow as the frame. Others are scrolled. */
async function fit(el: HTMLElement): Promise<void> {
  const result = drawn.get(el);
  const own = result && made.get(result);
  const chart = el.querySelector(".marks");
  if (!result || own === undefined || !chart) return;
  const { view } = result;
  const { paddingLeft, paddingRight } = getComputedStyle(el);
  const room = document.documentElement.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  const width = filling ? plotWidth(own, chart.getBoundingClientRect().width - view.width(), room) : own;
  if (Math.abs(width - view.width()) >= 1) await view.width(width).runAsync();
}

/**
 * The width of a plot with which its chart has room: as made, or narrower.
 *
 * @param around pixels of axes and legends beside the plot
 */
export const plotWidth = (own: number, around: number, room: number): number => Math.min(own, Math.max(NARROWEST, Math.floor(room - around)));

export async function picture(el: HTMLElement): Promise<Blob | null> {
  const canvas = await drawn.get(el)!.view.toCanvas(1);
  return shrink(canvas, canvas.width, canvas.height);
}

export async function snapshot(el: HTMLElement, format: "png" | "svg", scale: number): Promise<Blob | null> {
  const { view } = drawn.get(el)!;
  if (format === "svg") return new Blob([await view.toSVG()], { type: "image/svg+xml" });
  const canvas = await view.toCanvas(scale);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

const isLite = ({ mime }: Bundle): boolean => mime.includes("vegalite");

function options(bundle: Bundle, spec: Spec): object {
  const own = { ...(bundle.metadata.embed_options as object), ...spec.usermeta?.embedOptions };
  return {
    actions: { export: true, source: false, compiled: false, editor: false },
    patch: completeSignals,
    ...own,
    mode: isLite(bundle) ? "vega-lite" : "vega",
    loader: loader(bundle),
    logLevel: 1, // errors only: that a version 5 is drawn by version 6 is no news to the user
  };
}

/**
 * Adds the signals that Vega-Lite (5.0 to 6.5) uses but forgets to define: those with the fields of a point selection that
 * is bound to an input element and names no fields. Without them Vega draws nothing at all.
 */
export function completeSignals(spec: Scope): Scope {
  const signals = signalsOf(spec);
  const defined = new Set(signals.map(({ name }) => name));
  const used = signals.filter(({ name, update }) => name.endsWith("_tuple") && String(update).includes(`${name}_fields`));
  const missing = used.map(({ name }) => `${name}_fields`).filter((name) => !defined.has(name));
  const added = missing.map((name) => ({ name, value: [{ type: "E", field: "_vgsid_" }] }));
  return { ...spec, signals: [...(spec.signals ?? []), ...added] };
}

function signalsOf(scope: Scope): Signal[] {
  return [...(scope.signals ?? []), ...(scope.marks ?? []).flatMap(signalsOf)];
}

/** A Vega loader that loads what the user has allowed, and nothing else. */
function loader(bundle: Bundle): object {
  const refuse = (uri: string) => Promise.reject(new Error(`no network in outputs: ${uri}`));
  const load = async (uri: string) => {
    if (!bundle.reaches(uri)) return refuse(uri);
    const response = await fetch(uri, { credentials: "omit", referrerPolicy: "no-referrer" });
    if (!response.ok) throw new Error(`${uri} answered ${response.status}`);
    return response.text();
  };
  return {
    load,
    http: load,
    file: refuse,
    // Marks may link; the frame asks the user before it opens anything.
    sanitize: (uri: string, context: { context?: string }) =>
      context.context === "href" || uri.startsWith("data:") || bundle.reaches(uri) ? Promise.resolve({ href: uri }) : refuse(uri),
  };
}
