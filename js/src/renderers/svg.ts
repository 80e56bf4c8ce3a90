/** `image/svg+xml`: drawn as part of the document, so that its text can be selected; its scripts are left out. */
import type { Extent, Sizing } from "../camera.ts";
import { paint, shrink } from "./picture.ts";
import { text, type Bundle, type Cleanup } from "./renderer.ts";
import type { Shot } from "../taking.ts";

const SVG = "http://www.w3.org/2000/svg";

/** What is asked to fill its frame, whatever size it has of its own. */
const filling = new WeakSet<HTMLElement>();

export function render(el: HTMLElement, bundle: Bundle): Cleanup {
  const svg = parse(text(bundle));
  removeScripts(svg);
  completeViewBox(svg);
  if (bundle.metadata["fill"] === true) filling.add(el);
  else filling.delete(el);
  el.className = "center paper";
  el.replaceChildren(document.adoptNode(svg));
  size(el, bundle.sizing);
  return () => {};
}

/** As large as the frame allows, filling it on request or without a size of its own; as made; or fitted into the user's size. */
export function size(el: HTMLElement, { policy, custom }: Sizing): void {
  const svg = el.querySelector("svg")!;
  const own = svg.hasAttribute("width") || svg.hasAttribute("height");
  const [most, none] = [["calc(100vw - 32px)", "calc(100vh - 32px)"], ["", ""]];
  const [width, height] = { fill: filling.has(el) || !own ? most : none, made: own ? none : boxOf(svg), custom: pixels(custom) }[policy];
  const [maxWidth, maxHeight] = policy === "fill" ? most : none;
  Object.assign(svg.style, { width, height, maxWidth, maxHeight });
}

export async function picture(el: HTMLElement): Promise<Blob | null> {
  const { image, width, height } = await asSeen(el);
  return shrink(image, width, height);
}

export async function snapshot(el: HTMLElement, shot: Shot): Promise<Blob | null> {
  const { image, source, width, height } = await asSeen(el, shot.size ?? (shot.made ? ownSize(el.querySelector("svg")!) : undefined));
  if (shot.format === "svg") return new Blob([source], { type: "image/svg+xml" });
  return paint(image, width * shot.scale, height * shot.scale, shot);
}

/** The drawing with its size on the screen, or another one, as text and as an image. */
async function asSeen(el: HTMLElement, size?: Extent): Promise<{ image: HTMLImageElement; source: string; width: number; height: number }> {
  const svg = el.querySelector("svg")!;
  const { width, height } = size ?? svg.getBoundingClientRect();
  const copy = svg.cloneNode(true) as SVGSVGElement;
  copy.removeAttribute("style");
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  const source = new XMLSerializer().serializeToString(copy);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  await image.decode();
  return { image, source, width, height };
}

/** Reads XML, or what only a forgiving HTML parser takes (an undeclared prefix, say). */
function parse(source: string): SVGSVGElement {
  const strict = new DOMParser().parseFromString(source, "image/svg+xml");
  const failed = strict.querySelector("parsererror") !== null;
  const root = failed ? new DOMParser().parseFromString(source, "text/html").querySelector("svg") : strict.documentElement;
  if (root?.namespaceURI !== SVG) throw new Error("expected an <svg> element, got none");
  return root as Element as SVGSVGElement;
}

function removeScripts(svg: SVGSVGElement): void {
  for (const each of [svg, ...svg.querySelectorAll("*")]) {
    if (each.localName === "script") each.remove();
    for (const { name, value } of [...each.attributes]) {
      const runs = /^on/i.test(name) || (/href$/i.test(name) && /^\s*javascript:/i.test(value));
      if (runs) each.removeAttribute(name);
    }
  }
}

/** CSS pixels of each unit that drawings come in. */
const UNITS: Record<string, number> = { "": 1, px: 1, pt: 4 / 3, in: 96, cm: 96 / 2.54, mm: 96 / 25.4 };

function lengthOf(text: string): number {
  const [, number, unit] = /^\s*([\d.]+)([a-z]*)\s*$/.exec(text) ?? [];
  return Number(number) * (UNITS[unit ?? ""] ?? NaN);
}

/** The size that the drawing itself has, if it has any. */
function ownSize(svg: SVGSVGElement): Extent | undefined {
  const [width, height] = ["width", "height"].map((name) => lengthOf(svg.getAttribute(name) ?? ""));
  return width! > 0 && height! > 0 ? { width: width!, height: height! } : undefined;
}

/** A drawing that is made larger or smaller needs to say what of it is seen. */
function completeViewBox(svg: SVGSVGElement): void {
  const [width, height] = ["width", "height"].map((side) => parseFloat(svg.getAttribute(side) ?? ""));
  if (!svg.hasAttribute("viewBox") && width! > 0 && height! > 0) svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
}

/** The size of what is seen of a drawing without a size of its own. */
function boxOf({ viewBox }: SVGSVGElement): string[] {
  const { width, height } = viewBox.baseVal ?? {};
  return width && height ? pixels({ width, height }) : ["", ""];
}

const pixels = ({ width, height }: Extent): string[] => [`${width}px`, `${height}px`];
