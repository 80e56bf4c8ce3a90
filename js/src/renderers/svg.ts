/** `image/svg+xml`: drawn as part of the document, so that its text can be selected; its scripts are left out. */
import { paint, shrink } from "./picture.ts";
import { text, type Bundle, type Cleanup } from "./renderer.ts";

const SVG = "http://www.w3.org/2000/svg";

export function render(el: HTMLElement, bundle: Bundle): Cleanup {
  const svg = parse(text(bundle));
  removeScripts(svg);
  fit(svg, bundle.metadata["fill"] === true);
  el.className = "center paper";
  el.replaceChildren(document.adoptNode(svg));
  return () => {};
}

export async function picture(el: HTMLElement): Promise<Blob | null> {
  const { image, width, height } = await asSeen(el);
  return shrink(image, width, height);
}

export async function snapshot(el: HTMLElement, format: "png" | "svg", scale: number): Promise<Blob | null> {
  const { image, source, width, height } = await asSeen(el);
  if (format === "svg") return new Blob([source], { type: "image/svg+xml" });
  return paint(image, width * scale, height * scale);
}

/** The drawing with its size on the screen, as text and as an image. */
async function asSeen(el: HTMLElement): Promise<{ image: HTMLImageElement; source: string; width: number; height: number }> {
  const svg = el.querySelector("svg")!;
  const { width, height } = svg.getBoundingClientRect();
  const copy = svg.cloneNode(true) as SVGSVGElement;
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

/** Keeps the drawing's own size but never beyond the frame; on request, or without a size of its own, it fills the frame. */
function fit(svg: SVGSVGElement, fill: boolean): void {
  const { width, height } = { width: svg.getAttribute("width"), height: svg.getAttribute("height") };
  if (!svg.hasAttribute("viewBox") && parseFloat(width ?? "") > 0 && parseFloat(height ?? "") > 0) {
    svg.setAttribute("viewBox", `0 0 ${parseFloat(width!)} ${parseFloat(height!)}`);
  }
  svg.style.maxWidth = "calc(100vw - 32px)";
  svg.style.maxHeight = "calc(100vh - 32px)";
  if (fill || (!width && !height)) Object.assign(svg.style, { width: "calc(100vw - 32px)", height: "calc(100vh - 32px)" });
}
