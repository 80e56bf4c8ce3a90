/** `application/vnd.plotly.v1+json`: a Plotly figure. Typed arrays come as `{dtype, bdata}`, which Plotly reads itself. */
import type { Extent, Sizing } from "../camera.ts";
import { shrink } from "./picture.ts";
import { json, type Bundle, type Cleanup } from "./renderer.ts";
import type { Shot } from "../taking.ts";

interface Figure {
  data: unknown[];
  layout?: Record<string, unknown>;
  config?: Record<string, unknown>;
  frames?: unknown[];
}

interface Plotly {
  newPlot(el: HTMLElement, figure: Figure): Promise<unknown>;
  react(el: HTMLElement, figure: Figure): Promise<unknown>;
  relayout(el: HTMLElement, layout: Record<string, unknown>): Promise<unknown>;
  toImage(what: HTMLElement | Figure, options: Record<string, unknown>): Promise<string>;
  purge(el: HTMLElement): void;
}

type Drawn = HTMLElement & Figure;

const CLEAR = "rgba(0,0,0,0)";

/** How large Plotly makes a figure that says no size (`layout.width` and `height` in its reference). */
const AS_MADE: Extent = { width: 700, height: 450 };

let plotly: Plotly;
/** Sizes that figures have of their own, as far as they have any. */
const own = new WeakMap<HTMLElement, Partial<Extent> & { autosize?: boolean }>();

export async function render(el: HTMLElement, bundle: Bundle): Promise<Cleanup> {
  plotly = await bundle.library<Plotly>("plotly");
  await plotly.newPlot(el, prepared(el, bundle));
  return () => plotly.purge(el);
}

export async function update(el: HTMLElement, bundle: Bundle): Promise<void> {
  await plotly.react(el, prepared(el, bundle));
}

export async function size(el: HTMLElement, sizing: Sizing): Promise<void> {
  const { width = null, height = null } = placed(el, sizing);
  await plotly.relayout(el, { width, height, autosize: own.get(el)!.autosize ?? true });
}

export async function picture(el: HTMLElement): Promise<Blob | null> {
  const { width, height } = (el.querySelector(".svg-container") ?? el).getBoundingClientRect();
  const url = await plotly.toImage(el, { format: "png", width: Math.round(width), height: Math.round(height), scale: 0.5 });
  const image = new Image();
  image.src = url;
  await image.decode();
  return shrink(image, image.naturalWidth, image.naturalHeight);
}

export async function snapshot(el: HTMLElement, { format, scale, size, made, transparent }: Shot): Promise<Blob> {
  const { width, height } = size ?? (made ? { ...AS_MADE, ...lengthsOf(own.get(el)!) } : (el.querySelector(".svg-container") ?? el).getBoundingClientRect());
  const url = await plotly.toImage(transparent ? withoutBackground(el as Drawn) : el, { format, width: Math.round(width), height: Math.round(height), scale });
  return (await fetch(url)).blob();
}

const withoutBackground = ({ data, layout }: Drawn): Figure => ({ data, layout: { ...layout, paper_bgcolor: CLEAR, plot_bgcolor: CLEAR } });

/** The figure in the size it is to have, keeping the user's zoom over updates. */
function prepared(el: HTMLElement, bundle: Bundle): Figure {
  const figure = json<Figure>(bundle);
  own.set(el, figure.layout ?? {});
  const layout = { autosize: true, uirevision: "ipyweb", ...figure.layout, ...placed(el, bundle.sizing) };
  return { ...figure, layout, config: { displaylogo: false, ...figure.config, responsive: true } };
}

/** Puts a figure in the middle of its frame, or lets it fill it. Says its size, as far as that is not the frame's. */
function placed(el: HTMLElement, sizing: Sizing): Partial<Extent> {
  const extent = extentOf(own.get(el)!, sizing);
  const sized = extent.width !== undefined && extent.height !== undefined;
  el.classList.toggle("fill", !sized);
  el.classList.toggle("center", sized);
  return extent;
}

/** The size of a figure that has perhaps one of its own; what it leaves out is the frame's. */
export function extentOf(layout: Partial<Extent>, { policy, custom }: Sizing): Partial<Extent> {
  if (policy === "custom") return custom;
  return { ...(policy === "made" ? AS_MADE : {}), ...lengthsOf(layout) };
}

const lengthsOf = ({ width, height }: Partial<Extent>): Partial<Extent> =>
  Object.fromEntries(Object.entries({ width, height }).filter(([, length]) => typeof length === "number"));
