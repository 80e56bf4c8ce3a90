import { MIME, type Shot } from "../taking.ts";

/** The longer side of a filmstrip picture, in pixels: twice its size on the screen. */
const LONGEST = 360;

/** Draws something drawable, of the given size, small and on white. `null` where the canvas may not be read. */
export async function shrink(source: CanvasImageSource, width: number, height: number): Promise<Blob | null> {
  if (!(width > 0 && height > 0)) return null;
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  return paint(source, width * scale, height * scale);
}

/** Draws something drawable, in that size in pixels; on white, unless that is not wanted. */
export function paint(source: CanvasImageSource, width: number, height: number, { format = "png", transparent = false }: Partial<Shot> = {}): Promise<Blob | null> {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width));
  canvas.height = Math.max(1, Math.round(height));
  const context = canvas.getContext("2d")!;
  context.fillStyle = "#fff";
  if (!transparent || format === "jpeg") context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, MIME[format]));
}
