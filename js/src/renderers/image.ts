/** Raster images in the shell: an `<img>` at a capability URL, which the browser keeps for ever. */

/**
 * Loads and decodes an image, so that it can be put into the page without a flash.
 *
 * @param fetched an image of that address that was fetched ahead
 * @throws when it is no image
 */
export async function load(url: string, metadata: Record<string, unknown>, alt: string, fetched?: HTMLImageElement): Promise<HTMLImageElement> {
  const image = dress(fetched ?? new Image(), alt);
  setSize(image, metadata);
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

/** The size that MIME metadata asks for, in CSS pixels: as in Jupyter, the way to show a picture of a high resolution. */
function setSize(image: HTMLImageElement, { width, height }: Record<string, unknown>): void {
  if (isLength(width)) image.style.width = `${width}px`;
  if (isLength(height)) image.style.height = `${height}px`;
}

function isLength(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value < 20_000;
}
