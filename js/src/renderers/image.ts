/** Raster images in the shell: an `<img>` at a capability URL, which the browser keeps for ever. */
import type { Extent } from "../camera.ts";

/**
 * Loads and decodes an image, so that it can be put into the page without a flash.
 *
 * @param fetched an image of that address that was fetched ahead
 * @throws when it is no image
 */
export async function load(url: string, alt: string, fetched?: HTMLImageElement): Promise<HTMLImageElement> {
  const image = dress(fetched ?? new Image(), alt);
  if (!fetched) image.src = url;
  try {
    await image.decode();
  } catch {
    throw new Error("the image cannot be decoded");
  }
  return image;
}

/** Makes an image look and behave as those of the stage do. */
export function dress(image: HTMLImageElement, alt: string): HTMLImageElement {
  image.className = "image";
  image.alt = alt;
  image.draggable = false;
  return image;
}

/** The CSS size of an image: what its MIME metadata asks for, as in Jupyter for pictures of a high resolution, else its own. */
export function sizeAsMade({ naturalWidth, naturalHeight }: Pick<HTMLImageElement, "naturalWidth" | "naturalHeight">, metadata: Record<string, unknown>): Extent {
  const [width, height] = [metadata.width, metadata.height].map((each) => (isLength(each) ? each : undefined));
  const ratio = naturalWidth / Math.max(1, naturalHeight);
  return {
    width: Math.max(1, width ?? (height ? height * ratio : naturalWidth)),
    height: Math.max(1, height ?? (width ? width / ratio : naturalHeight)),
  };
}

function isLength(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value < 20_000;
}
