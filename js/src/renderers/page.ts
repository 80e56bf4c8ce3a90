/** A picture of whatever the frame's document shows, for what makes none itself: its elements as they are, in an SVG. */
import type { Context } from "modern-screenshot";
import type { Extent } from "../camera.ts";
import type * as screenshot from "../libraries/screenshot.ts";
import { painted } from "../frame/painted.ts";
import { MIME, type Shot } from "../taking.ts";
import { paint, shrink } from "./picture.ts";

export type Screenshot = typeof screenshot;

interface Box extends Extent {
  x: number;
  y: number;
}

/** CSS pixels of a side beyond which a page is cut off. */
export const LONGEST = 8000;
/** CSS pixels that are left around what there is to see. */
const MARGIN = 12;
/** How many times as high as wide a small picture may be: of a long table one rather sees the beginning. */
const TALLEST = 1.3;
/** Milliseconds to wait for pictures that are still loading. */
const LOADED_WITHIN = 3000;
/** Milliseconds in which a video has a frame to show. */
const FRAME_WITHIN = 2000;
/** Properties that no picture shows, or that others stand for: each costs as much as one that does, for every element. */
const UNSEEN = /^--|(?:^|-)(?:inline|block)(?:-|$)|^(?:anchor|animation|caret|contain|counter|cursor|offset|overscroll|page|pointer|scroll|timeline|touch|transition|user|view|will)/;
/** Milliseconds of work after which the frame listens again: it has to answer that it is alive. */
const BREATH = 100;

/**
 * What there is to see, without the empty space around it.
 *
 * @param cut told what is left out of a page that is too long
 * @throws when a part of it cannot be read
 */
export async function snapshot(library: Screenshot, shot: Shot, cut: (text: string) => void): Promise<Blob | null> {
  const { style } = document.documentElement;
  const before = style.width;
  if (shot.size) {
    style.width = `${shot.size.width}px`;
    await painted();
  }
  try {
    return await taken(library, shot, cut);
  } finally {
    style.width = before;
  }
}

async function taken(library: Screenshot, { format, scale, small, size, transparent = false }: Shot, cut: (text: string) => void): Promise<Blob | null> {
  const { scrollWidth, scrollHeight } = document.documentElement;
  const most = small ? { width: innerWidth, height: innerHeight } : { width: LONGEST, height: LONGEST };
  const whole = { width: Math.min(scrollWidth, most.width), height: Math.min(scrollHeight, most.height) };
  if (!small && Math.max(scrollWidth, scrollHeight) > LONGEST) cut(`the picture ends after ${LONGEST} pixels`);
  const svg = await drawn(library, whole, transparent);
  const paper = paperColor();
  const all = { ...whole, x: 0, y: 0 };
  const ink = seen(await imageOf(svg, all), whole, paper);
  const found = ink ?? all;
  const box = size ? { ...found, x: 0, width: Math.max(size.width, found.x + found.width - MARGIN) } : small ? { ...found, height: Math.min(found.height, TALLEST * found.width) } : found;
  const by = size ? size.width / box.width : 1;
  const image = await imageOf(svg, box, transparent ? undefined : paper, by);
  if (format === "svg") return new Blob([written(svg)], { type: MIME.svg });
  if (ink && !seen(image, box, paper)) throw new Error("this browser draws nothing of it"); // WebKit, of formulas
  return small ? shrink(image, box.width, box.height) : paint(image, box.width * by * scale, box.height * by * scale, { format, transparent });
}

/** The document's body in an SVG of that size. */
async function drawn(library: Screenshot, { width, height }: Extent, transparent: boolean): Promise<SVGElement> {
  const { body } = document;
  if ([...body.querySelectorAll("iframe")].some((each) => each.clientWidth > 0)) throw new Error("it holds a page of its own, which nobody may read");
  const keepState = keepsState(breath());
  let video: HTMLVideoElement | null = null; // which is cloned next
  const { margin } = getComputedStyle(body);
  const own = body.getBoundingClientRect();
  const context = await library.createContext(body, {
    width, height, timeout: LOADED_WITHIN,
    includeStyleProperties: [...getComputedStyle(body)].filter((name) => !UNSEEN.test(name)),
    style: { margin, width: `${own.width}px`, height: `${own.height}px`, ...(transparent && { background: "none" }) },
    filter: (node) => {
      const taken = !(node instanceof Element) || (begins(node, { width, height }) && !isMissing(node));
      if (taken && node instanceof HTMLVideoElement) video = node;
      return taken;
    },
    onCloneEachNode: (cloned) => {
      const of = video;
      video = null;
      if (!of || !(cloned instanceof HTMLImageElement)) return keepState(cloned);
      return frameOf(of).then((frame) => void (cloned.src = frame ?? cloned.src));
    },
    onCloneNode: (clone) => document.documentElement.scrollHeight > height ? shorten(clone as Element) : undefined,
  });
  context.sandbox = unstyled();
  try {
    const svg = await library.domToForeignObjectSvg(context);
    const content = svg.querySelector("foreignObject")!;
    content.setAttribute("width", String(width));
    content.setAttribute("height", String(height));
    return svg;
  } finally {
    library.destroyContext(context);
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Whether some of an element may be seen in the picture. What has no box may have children that have. */
function begins(el: Element, { width, height }: Extent): boolean {
  const { left, top } = el.getBoundingClientRect();
  return left + scrollX < width && top + scrollY < height;
}

/** Whether it is an image that was not loaded: a copy of it would ask for it once more. */
const isMissing = (el: Element): boolean => el instanceof HTMLImageElement && el.complete && el.naturalWidth === 0;

/**
 * What a video shows now, as a `data:` URL; nothing if that cannot be known. The library asks a copy once, and takes what
 * it has, which may be nothing yet; out of sight the video itself has nothing.
 */
async function frameOf(video: HTMLVideoElement): Promise<string | null> {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return null;
  const copy = video.cloneNode(true) as HTMLVideoElement;
  copy.autoplay = false;
  copy.currentTime = video.currentTime;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext("2d")!;
  try {
    for (const end = performance.now() + FRAME_WITHIN; performance.now() < end; await pause(20)) {
      for (const each of [copy, video]) context.drawImage(each, 0, 0);
      if (context.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data[3]) return canvas.toDataURL();
    }
  } catch {} // of another site
  return null;
}

/** Rows that are left would share the room of those that are left out. */
function shorten(clone: Element): void {
  for (const table of clone.querySelectorAll<HTMLElement>("table, tbody")) table.style.height = "auto";
}

/** What people have entered is in no attribute, and so would not be in a text. */
const STATES: Record<string, (el: Element) => void> = {
  input: (el) => el.toggleAttribute("checked", (el as HTMLInputElement).checked),
  textarea: (el) => (el.textContent = el.getAttribute("value")),
  select: (el) => {
    for (const option of el.querySelectorAll("option")) option.toggleAttribute("selected", option.value === el.getAttribute("value"));
  },
};

const keepsState = (breathe: () => Promise<void> | undefined) => (cloned: Node): Promise<void> | undefined => {
  STATES[cloned.nodeName.toLowerCase()]?.(cloned as Element);
  return breathe();
};

function breath(): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < BREATH) return undefined;
    return new Promise((resolve) => setTimeout(() => {
      last = performance.now();
      resolve();
    }));
  };
}

/**
 * Where elements have no styles but the browser's own, as the library wants to know them. It would make a frame for that,
 * which a document without an origin cannot look into.
 */
function unstyled(): NonNullable<Context["sandbox"]> {
  const host = document.createElement("div");
  host.style.cssText = "all: initial; position: fixed; visibility: hidden";
  const body = host.attachShadow({ mode: "open" });
  document.documentElement.append(host);
  const place = { createElement: (name: string) => document.createElement(name), createElementNS: (space: string, name: string) => document.createElementNS(space, name), body };
  const stand = { remove: () => host.remove(), contentWindow: { document: place, getComputedStyle: getComputedStyle.bind(window) } };
  return stand as unknown as HTMLIFrameElement;
}

/** The colour behind everything. */
function paperColor(): string {
  const own = [document.documentElement, document.body].map((each) => getComputedStyle(each).backgroundColor);
  const stage = getComputedStyle(document.documentElement).getPropertyValue("--stage").trim();
  return own.find((each) => each !== "rgba(0, 0, 0, 0)") ?? (stage || "#fff");
}

/** Shows only a part of an SVG, on paper if there is any, `by` times as large; as an image. */
async function imageOf(svg: SVGElement, { x, y, width, height }: Box, paper?: string, by = 1): Promise<HTMLImageElement> {
  const part = { x: String(x), y: String(y), width: String(width), height: String(height) };
  svg.setAttribute("viewBox", Object.values(part).join(" "));
  for (const [name, length] of Object.entries({ width, height })) svg.setAttribute(name, String(length * by));
  if (paper) {
    const rect = document.createElementNS(svg.namespaceURI, "rect");
    for (const [name, value] of Object.entries({ ...part, fill: paper })) rect.setAttribute(name, value);
    svg.prepend(rect);
  }
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(written(svg))}`;
  await image.decode();
  return image;
}

/** XML, which has no place for some characters. */
const written = (svg: SVGElement): string =>
  new XMLSerializer().serializeToString(svg).replace(/[\0-\x08\v\f\x0e-\x1f\ud800-\udfff\ufffe\uffff]/gu, "");

/** The part of an image in which it is not just paper, and a margin around it; nothing where there is only paper. */
function seen(image: HTMLImageElement, { width, height }: Extent, paper: string): Box | null {
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(width)), Math.max(1, Math.round(height)));
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = paper;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const [empty] = new Uint32Array(context.getImageData(0, 0, 1, 1).data.buffer);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const pixels = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return inked(pixels, canvas.width, empty!, MARGIN);
}

/** The smallest box with all pixels that are not of one colour, and a margin around it within all of them; nothing where there are none. */
export function inked(pixels: Uint32Array, width: number, empty: number, margin: number): Box | null {
  const height = pixels.length / width;
  const first = pixels.findIndex((each) => each !== empty);
  if (first < 0) return null;
  const [top, bottom] = [Math.floor(first / width), Math.floor(pixels.findLastIndex((each) => each !== empty) / width)];
  let [left, right] = [width, -1];
  for (let y = top; y <= bottom; y++) {
    const row = pixels.subarray(y * width, (y + 1) * width);
    const from = row.subarray(0, left).findIndex((each) => each !== empty);
    if (from >= 0) left = from;
    const to = row.subarray(right + 1).findLastIndex((each) => each !== empty);
    if (to >= 0) right += to + 1;
  }
  const [x, y] = [Math.max(0, left - margin), Math.max(0, top - margin)];
  return { x, y, width: Math.min(width, right + 1 + margin) - x, height: Math.min(height, bottom + 1 + margin) - y };
}
