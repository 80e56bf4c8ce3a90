/** `application/vnd.plotly.v1+json`: a Plotly figure. Typed arrays come as `{dtype, bdata}`, which Plotly reads itself. */
import { shrink } from "./picture.ts";
import { json, type Bundle, type Cleanup } from "./renderer.ts";

interface Figure {
  data: unknown[];
  layout?: Record<string, unknown>;
  config?: Record<string, unknown>;
  frames?: unknown[];
}

interface Plotly {
  newPlot(el: HTMLElement, figure: Figure): Promise<unknown>;
  react(el: HTMLElement, figure: Figure): Promise<unknown>;
  toImage(el: HTMLElement, options: Record<string, unknown>): Promise<string>;
  purge(el: HTMLElement): void;
}

let plotly: Plotly;

export async function render(el: HTMLElement, bundle: Bundle): Promise<Cleanup> {
  plotly = await bundle.library<Plotly>("plotly");
  await plotly.newPlot(el, prepared(el, json<Figure>(bundle)));
  return () => plotly.purge(el);
}

export async function update(el: HTMLElement, bundle: Bundle): Promise<void> {
  await plotly.react(el, prepared(el, json<Figure>(bundle)));
}

export async function picture(el: HTMLElement): Promise<Blob | null> {
  const { width, height } = (el.querySelector(".svg-container") ?? el).getBoundingClientRect();
  const url = await plotly.toImage(el, { format: "png", width: Math.round(width), height: Math.round(height), scale: 0.5 });
  const image = new Image();
  image.src = url;
  await image.decode();
  return shrink(image, image.naturalWidth, image.naturalHeight);
}

export async function snapshot(el: HTMLElement, format: "png" | "svg", scale: number): Promise<Blob> {
  const { width, height } = (el.querySelector(".svg-container") ?? el).getBoundingClientRect();
  const url = await plotly.toImage(el, { format, width: Math.round(width), height: Math.round(height), scale });
  return (await fetch(url)).blob();
}

/** The figure, filling the frame wherever it has no size of its own, and keeping the user's zoom over updates. */
function prepared(el: HTMLElement, figure: Figure): Figure {
  const sized = typeof figure.layout?.width === "number" && typeof figure.layout.height === "number";
  el.classList.toggle("fill", !sized);
  el.classList.toggle("center", sized);
  const layout = { autosize: true, uirevision: "ipyweb", ...figure.layout };
  return { ...figure, layout, config: { displaylogo: false, ...figure.config, responsive: true } };
}
