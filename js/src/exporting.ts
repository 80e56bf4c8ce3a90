/** A picture of an output in another size and format: what can be chosen, and what that comes to. */
import type { Extent } from "./camera.ts";
import type { Pane } from "./pane.svelte.ts";
import { withDensity } from "./png.ts";
import type { OutputRecord } from "./protocol.ts";
import type { RendererName } from "./renderers/table.ts";
import { MIME, type Format, type Shot } from "./taking.ts";
import { familyOf, type View } from "./view.ts";

/** Which of the lengths are free: both, one that the other follows, or the width alone, since what flows has the height that it needs. */
export type Shape = "free" | "ratio" | "flow";

export type FileFormat = Format | "pdf";
export type Unit = "px" | "in";

export interface Options {
  formats: readonly FileFormat[];
  shape: Shape;
}

/** What the user has chosen. Lengths are in the unit. */
export interface Choice extends Extent {
  format: FileFormat;
  unit: Unit;
  dpi: number;
  transparent: boolean;
}

/** The MIME type of a file of each format. */
export const FILE: Record<FileFormat, string> = { ...MIME, pdf: "application/pdf" };

/** CSS pixels of an inch: so many dots there are in one of what has no number of its own. */
export const CSS_DPI = 96;
/** Pixels of a side, and of the whole, beyond which browsers make no picture. */
const LONGEST = 16_000;
const LARGEST = 100e6;

const FIGURE: Options = { formats: ["png", "svg", "pdf"], shape: "free" };
const CHART: Options = { formats: ["png", "svg", "jpeg", "webp"], shape: "free" };
const PAGE: Options = { formats: ["png", "svg", "jpeg", "webp"], shape: "flow" };
const OTHERS: Partial<Record<RendererName, Options | null>> = {
  plotly: CHART,
  vega: CHART,
  svg: { ...CHART, shape: "ratio" },
  image: { formats: ["png", "jpeg", "webp"], shape: "ratio" },
  text: null,
  unknown: null,
};

/** What can be chosen for a picture of a view; nothing where there is none. */
export function optionsOf(view: View): Options | null {
  if (view.output.figure) return FIGURE;
  const own = OTHERS[familyOf(view).renderer];
  return own === undefined ? PAGE : own;
}

/** The same in the other unit. */
export function converted(choice: Choice, unit: Unit): Choice {
  if (unit === choice.unit) return choice;
  const factor = unit === "in" ? 1 / choice.dpi : choice.dpi;
  return { ...choice, unit, width: rounded(choice.width * factor), height: rounded(choice.height * factor) };
}

/** With another length; the other one follows where the proportion stays. */
export function resized(choice: Choice, side: "width" | "height", length: number, { shape }: Options, made: Extent): Choice {
  const other = side === "width" ? "height" : "width";
  const next = { ...choice, [side]: length };
  return shape === "ratio" ? { ...next, [other]: rounded((length * made[other]) / made[side]) } : next;
}

/** Pixels of the picture. */
export function pixelsOf({ width, height, unit, dpi }: Choice): Extent {
  const per = unit === "in" ? dpi : 1;
  return { width: Math.round(width * per), height: Math.round(height * per) };
}

/** Whether there can be such a picture. */
export function isPossible(choice: Choice): boolean {
  const { width, height } = pixelsOf(choice);
  return [width, height].every((each) => each >= 1 && each <= LONGEST) && width * height <= LARGEST && choice.dpi >= 1 && choice.dpi <= 10_000;
}

/** What is asked of what draws it. What nobody has changed stays as it was made. */
export function shotOf(choice: Choice, { shape }: Options, made: Extent): Omit<Shot, "format"> {
  const scale = choice.dpi / CSS_DPI;
  const { width, height } = pixelsOf(choice);
  const size = { width: width / scale, height: height / scale };
  const same = Math.abs(size.width - made.width) < 0.5 && (shape === "flow" || Math.abs(size.height - made.height) < 0.5);
  return { scale, transparent: choice.transparent, ...(same ? { made: true } : { size }) };
}

/** Makes the picture. @throws when it cannot be made */
export async function picture(pane: Pick<Pane, "figures" | "seeing">, output: OutputRecord, choice: Choice, options: Options, made: Extent): Promise<Blob> {
  const { format, dpi, transparent } = choice;
  if (output.figure) return pane.figures.render(output, FILE[format], { ...pixelsOf(choice), dpi, ...(transparent && { transparent }) });
  if (pane.seeing?.shown?.output.id !== output.id) throw new Error("another output is shown by now");
  const blob = await pane.seeing.snapshot(format as Format, shotOf(choice, options, made));
  return format === "png" ? withDensity(blob, dpi) : blob;
}

/** The size of an output's picture as it was made, in pixels. @throws when there is no picture */
export async function sizeAsMade(pane: Pick<Pane, "seeing">, { figure }: OutputRecord): Promise<Extent> {
  if (figure) return { width: figure.size[0], height: figure.size[1] };
  const { width, height } = await createImageBitmap(await pane.seeing!.snapshot("png", { scale: 1, made: true }));
  return { width, height };
}

const rounded = (length: number): number => Math.round(length * 1000) / 1000;
