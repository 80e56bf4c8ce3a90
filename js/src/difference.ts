/** The difference of two pictures, pixel by pixel. */
import { MIME, type Format } from "./taking.ts";

export interface Difference {
  /** RGBA: what differs, stronger where it differs more, over the first picture in pale grey. */
  pixels: Uint8ClampedArray<ArrayBuffer>;
  /** The share of pixels that differ, 0 to 1. */
  share: number;
}

/** Differences of one channel that nobody sees: those of two encoders, say. */
const UNSEEN = 2;
const INK = [214, 40, 57] as const;

/** Compare the RGBA bytes of two pictures of one size. */
export function difference(a: Uint8ClampedArray, b: Uint8ClampedArray): Difference {
  const pixels = new Uint8ClampedArray(a.length);
  let count = 0;
  for (let i = 0; i < a.length; i += 4) {
    const apart = Math.max(Math.abs(a[i]! - b[i]!), Math.abs(a[i + 1]! - b[i + 1]!), Math.abs(a[i + 2]! - b[i + 2]!), Math.abs(a[i + 3]! - b[i + 3]!));
    const differs = apart > UNSEEN;
    if (differs) count++;
    const grey = 205 + 50 * ((0.299 * a[i]! + 0.587 * a[i + 1]! + 0.114 * a[i + 2]!) / 255);
    const strength = differs ? 0.35 + 0.65 * (apart / 255) : 0;
    for (let channel = 0; channel < 3; channel++) pixels[i + channel] = grey + (INK[channel]! - grey) * strength;
    pixels[i + 3] = 255;
  }
  return { pixels, share: count / Math.max(1, a.length / 4) };
}

/** Draws the difference of two pictures on a canvas; the second is brought to the size of the first. */
export async function drawDifference(canvas: HTMLCanvasElement, first: Blob, second: Blob): Promise<Difference> {
  const [a, b] = await Promise.all([createImageBitmap(first), createImageBitmap(second)]);
  const { width, height } = a;
  const [one, other] = [a, b].map((each) => {
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    context.drawImage(each, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  });
  const found = difference(one!, other!);
  Object.assign(canvas, { width, height });
  canvas.getContext("2d")!.putImageData(new ImageData(found.pixels, width, height), 0, 0);
  return found;
}

/** What a canvas shows, as a file. @throws when it is asked for as a drawing */
export function pictureOf(canvas: HTMLCanvasElement, format: Format): Promise<Blob> {
  if (format === "svg") return Promise.reject(new Error("a difference has pixels, and cannot be taken as SVG"));
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("it is not drawn yet"))), MIME.png));
}

/** How much differs, for people. */
export function says(share: number): string {
  if (share === 0) return "No pixel differs";
  const percent = 100 * share;
  return `${percent < 0.01 ? "Less than 0.01" : percent.toFixed(percent < 1 ? 2 : 1)} % of the pixels differ`;
}
