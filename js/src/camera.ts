/** Where an output is looked at: how large its picture is laid out, how much of it is seen, and which part. Lengths in CSS pixels. */

export interface Extent {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

/** How large a picture is before any zoom: as large as the stage allows, as it was made, or as the user said. */
export type Policy = "fill" | "made" | "custom";

export interface Sizing {
  policy: Policy;
  /** The size that the user said. */
  custom: Extent;
}

/** What fills the space that it has. */
export const FILL: Sizing = { policy: "fill", custom: { width: 0, height: 0 } };

/** A picture's size before any zoom, and how large its letters are against those as made. */
export interface Layout extends Extent {
  scale: number;
}

/** `zoom` over the layout, and how far the picture's centre is from the stage's. */
export interface Camera extends Point {
  zoom: number;
}

export const HOME: Camera = { zoom: 1, x: 0, y: 0 };

/** Space around a picture that fills the stage. */
export const MARGIN = 32;

const SMALLEST = 0.1;
const LARGEST = 16;

/** Sizes, against as made, at which the keys and buttons stop. */
const STOPS = [0.1, 0.25, 0.33, 0.5, 0.67, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5, 6, 8, 12, 16];

/** The room for a picture in a stage. */
export const room = (stage: Extent): Extent => ({ width: Math.max(50, stage.width - MARGIN), height: Math.max(50, stage.height - MARGIN) });

/** A picture that has a size and cannot be laid out anew. It is shrunk to the stage, never blown up. */
export function layoutImage(made: Extent, stage: Extent, { policy, custom }: Sizing): Layout {
  const space = policy === "custom" ? custom : room(stage);
  const fits = Math.min(space.width / made.width, space.height / made.height);
  const scale = policy === "made" ? 1 : policy === "fill" ? Math.min(1, fits) : fits;
  return { width: made.width * scale, height: made.height * scale, scale };
}

/** What flows: as wide as the stage, or as the user said as far as the stage allows it. */
export function layoutFlowing(stage: Extent, { policy, custom }: Sizing): Layout {
  return { ...stage, width: policy === "custom" ? Math.min(custom.width, stage.width) : stage.width, scale: 1 };
}

/** What is drawn, in the end. */
export const sized = ({ width, height }: Extent, { zoom }: Camera): Extent => ({ width: width * zoom, height: height * zoom });

/** How large it is against as made. */
export const magnification = ({ scale }: Layout, { zoom }: Camera): number => scale * zoom;

/** The camera with a part of the picture in view, as far as it is larger than the stage; else in the middle. */
export function held(camera: Camera, layout: Layout, stage: Extent): Camera {
  const { width, height } = sized(layout, camera);
  return { zoom: camera.zoom, x: bounded(camera.x, width - stage.width), y: bounded(camera.y, height - stage.height) };
}

function bounded(offset: number, excess: number): number {
  const most = excess > 0 ? excess / 2 + MARGIN / 2 : 0;
  return Math.min(most, Math.max(-most, offset)) + 0; // never -0
}

/** Zoom to `factor` times as much; what is at `point`, from the stage's centre, stays there. */
export function zoomed(camera: Camera, factor: number, point: Point, layout: Layout, stage: Extent): Camera {
  const wanted = Math.min(LARGEST, Math.max(SMALLEST, magnification(layout, camera) * factor));
  const zoom = wanted / layout.scale;
  const by = zoom / camera.zoom;
  return held({ zoom, x: point.x - (point.x - camera.x) * by, y: point.y - (point.y - camera.y) * by }, layout, stage);
}

/** The factor to the next stop above (1) or below (-1). */
export function step(direction: 1 | -1, now: number): number {
  const further = direction > 0 ? STOPS.find((each) => each > now * 1.005) : STOPS.findLast((each) => each < now * 0.995);
  return (further ?? now) / now;
}
