/** Vega and Vega-Lite, versions 5 and 6: drawn by vega-embed, with no way to the network but what the user allows. */
import type { Extent, Policy, Sizing } from "../camera.ts";
import { MIME, type Shot } from "../taking.ts";
import { paint, shrink } from "./picture.ts";
import { json, type Bundle, type Cleanup } from "./renderer.ts";

interface View {
  width(): number;
  width(pixels: number): View;
  height(): number;
  height(pixels: number): View;
  background(): unknown;
  background(color: unknown): View;
  runAsync(): Promise<View>;
  toCanvas(scale: number): Promise<HTMLCanvasElement>;
  toSVG(): Promise<string>;
}

interface Result {
  view: View;
  vgSpec: Scope & { width?: unknown; height?: unknown };
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
  init?: unknown;
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
/** Pixels of a plot that is left in a size that has no room for its axes. */
const SMALLEST = 10;
/** How often a plot is laid out until its chart has the size that it is to have. */
const ROUNDS = 3;
const SIDES = ["width", "height"] as const;

type Side = (typeof SIDES)[number];

interface Drawn {
  result: Result;
  /** Lengths as made of the plot, as far as it may have others. */
  own: Partial<Extent>;
  /** Lengths that are those of the element around the chart. */
  contained: Side[];
  /** Whether a plot that is wider than the stage may be narrower than made. */
  yields: boolean;
  sizing: Sizing;
}

const drawings = new WeakMap<HTMLElement, Drawn>();
/** Whether the chart is laid out for a picture. */
let taking = false;

export async function render(el: HTMLElement, bundle: Bundle): Promise<Cleanup> {
  await update(el, bundle);
  const observer = new ResizeObserver(() => void fit(el));
  observer.observe(el);
  return () => {
    observer.disconnect();
    drawings.get(el)?.result.finalize();
  };
}

/** Draws the new version beside the old one and swaps them, so that nothing flashes. */
export async function update(el: HTMLElement, bundle: Bundle): Promise<void> {
  const vega = await bundle.library<Vega>("vega");
  el.className = "center paper";
  const host = document.createElement("div");
  const spec = json<Spec>(bundle);
  const result = await vega.embed(host, spec, options(bundle, spec));
  drawings.get(el)?.result.finalize();
  drawings.set(el, { result, own: numbers(result.vgSpec), contained: containedOf(result.vgSpec), yields: isLite(bundle), sizing: bundle.sizing });
  el.replaceChildren(host);
  await fit(el);
}

export async function size(el: HTMLElement, sizing: Sizing): Promise<void> {
  const drawn = drawings.get(el);
  if (!drawn) return;
  drawn.sizing = sizing;
  await fit(el);
}

/** Gives a chart whose plot may have another size the one it is to have: its letters may then need other room. Others are scrolled. */
async function fit(el: HTMLElement): Promise<void> {
  const drawn = drawings.get(el);
  const chart = el.querySelector(".marks");
  if (!drawn || !chart || taking) return;
  const { view } = drawn.result;
  if (drawn.contained.length > 0) {
    contain(el.firstElementChild as HTMLElement, drawn);
    await view.runAsync();
  }
  for (let round = 0; round < ROUNDS; round++) {
    const wanted = Object.entries(plotExtent(drawn, outside(el, view), roomIn(el))) as [Side, number][];
    const changed = wanted.filter(([side, length]) => Math.abs(length - view[side]()) >= 1);
    if (changed.length === 0) return;
    for (const [side, length] of changed) view[side](length);
    await view.runAsync();
  }
}

/** Gives what a chart is as large as the size that it is to have; Vega looks at it when the window's size changes. */
function contain({ style }: HTMLElement, { contained, sizing }: Drawn): void {
  const whole = { width: "calc(100vw - 32px)", height: "calc(100vh - 32px)" };
  for (const side of contained) style[side] = sizing.policy === "custom" ? `${sizing.custom[side]}px` : whole[side];
  dispatchEvent(new Event("resize"));
}

/** Which lengths Vega-Lite takes from the element around the chart: those that are said to be "container". */
export const containedOf = ({ signals = [] }: Scope): Side[] =>
  SIDES.filter((side) => signals.some(({ name, init }) => name === side && String(init).includes("containerSize")));

/** Pixels in which a chart is seen whole. */
function roomIn(el: HTMLElement): number {
  const { paddingLeft, paddingRight } = getComputedStyle(el);
  return document.documentElement.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
}

/** Pixels of axes and legends beside the plot. */
function outside(el: HTMLElement, view: View): Extent {
  const { width, height } = el.querySelector(".marks")!.getBoundingClientRect();
  return { width: width - view.width(), height: height - view.height() };
}

/**
 * The lengths of a plot, as far as it may have others than its own.
 *
 * @param around pixels of axes and legends beside and above the plot
 */
export function plotExtent({ own, yields, sizing }: Pick<Drawn, "own" | "yields" | "sizing">, around: Extent, room: number): Partial<Extent> {
  const lengths: Record<Policy, (side: Side) => number> = {
    fill: (side) => (side === "width" && yields ? plotWidth(own.width!, around.width, room) : own[side]!),
    made: (side) => own[side]!,
    custom: (side) => Math.max(SMALLEST, Math.round(sizing.custom[side] - around[side])),
  };
  return Object.fromEntries(SIDES.filter((side) => own[side] !== undefined).map((side) => [side, lengths[sizing.policy](side)]));
}

/** The width of a plot with which its chart has room: as made, or narrower. */
const plotWidth = (own: number, around: number, room: number): number => Math.min(own, Math.max(NARROWEST, Math.floor(room - around)));

/** What of a size is a number; the rest follows from the data. */
const numbers = (size: { width?: unknown; height?: unknown }): Partial<Extent> =>
  Object.fromEntries(SIDES.filter((side) => typeof size[side] === "number").map((side) => [side, size[side]]));

export async function picture(el: HTMLElement): Promise<Blob | null> {
  const canvas = await drawings.get(el)!.result.view.toCanvas(1);
  return shrink(canvas, canvas.width, canvas.height);
}

/** The chart is laid out for the picture, and back. */
export async function snapshot(el: HTMLElement, shot: Shot): Promise<Blob | null> {
  const drawn = drawings.get(el)!;
  const { view } = drawn.result;
  const before = { width: view.width(), height: view.height(), background: view.background() };
  taking = true;
  try {
    if (shot.transparent) view.background("transparent");
    for (const [side, length] of Object.entries(lengthsFor(shot, drawn, outside(el, view))) as [Side, number][]) view[side](length);
    await view.runAsync();
    return await pictureOf(view, shot);
  } finally {
    taking = false;
    if (before.width !== view.width()) view.width(before.width);
    if (before.height !== view.height()) view.height(before.height);
    await view.background(before.background).runAsync();
  }
}

/** The lengths of the plot in a picture; none where that is taken as seen. */
function lengthsFor({ size, made }: Shot, drawn: Drawn, around: Extent): Partial<Extent> {
  if (!size && !made) return {};
  const sizing: Sizing = size ? { policy: "custom", custom: size } : { ...drawn.sizing, policy: "made" };
  return plotExtent({ ...drawn, sizing }, around, Infinity);
}

/** A picture of exactly the size that is asked for: a chart that cannot have it is in the middle. */
async function pictureOf(view: View, shot: Shot): Promise<Blob | null> {
  if (shot.format === "svg") return new Blob([sized(await view.toSVG(), shot.size)], { type: MIME.svg });
  const chart = await view.toCanvas(shot.scale);
  if (!shot.size) return paint(chart, chart.width, chart.height, shot);
  const [width, height] = [shot.size.width * shot.scale, shot.size.height * shot.scale].map(Math.round) as [number, number];
  const by = Math.min(width / chart.width, height / chart.height);
  const sheet = new OffscreenCanvas(width, height);
  const [across, down] = [chart.width * by, chart.height * by];
  sheet.getContext("2d")!.drawImage(chart, (width - across) / 2, (height - down) / 2, across, down);
  return paint(sheet, width, height, shot);
}

/** An SVG in another size; without a size, as it is. */
const sized = (svg: string, size?: Extent): string =>
  size ? svg.replace(/ width="[^"]*"/, ` width="${size.width}"`).replace(/ height="[^"]*"/, ` height="${size.height}"`) : svg;

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
