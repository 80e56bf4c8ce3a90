/** Taking a picture away as it is seen: into the clipboard, or as a file. */

import type { Extent } from "./camera.ts";
import type { View } from "./view.ts";

export type Format = "png" | "svg" | "jpeg" | "webp";

/** A picture of what is drawn, as somebody wants it. */
export interface Shot {
  format: Format;
  /** Pixels for one of CSS. */
  scale: number;
  /** CSS pixels to lay it out in, as far as it can be. Absent: as it is seen. */
  size?: Extent;
  /** As it was made, whatever room there is for it here. */
  made?: boolean;
  /** Without its background. */
  transparent?: boolean;
  /** Only what is in view, as small as the filmstrip shows it. */
  small?: boolean;
  /** Only if what draws it makes a picture itself; of pages there is a better one to be had. */
  own?: boolean;
}

/** What is looked at, and how it is taken away as it is seen. */
export interface Seen {
  readonly shown: View | null;
  /** @throws when it is no picture in that format */
  snapshot(format: Format, as?: Partial<Shot>): Promise<Blob>;
}

export const MIME: Record<Format, string> = { png: "image/png", svg: "image/svg+xml", jpeg: "image/jpeg", webp: "image/webp" };

/** A picture of pixels in another format or size. @throws when it is no picture */
export async function resampled(picture: Blob, format: Format, { size, scale = 1, transparent = true }: Partial<Shot> = {}): Promise<Blob> {
  if (picture.type === MIME[format] && !size && transparent) return picture;
  const bitmap = await createImageBitmap(picture);
  const { width, height } = size ?? bitmap;
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const context = canvas.getContext("2d")!;
  if (format === "jpeg" || !transparent) {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.convertToBlob({ type: MIME[format] });
}

/**
 * Put something into the clipboard, in one or several MIME types. It may still be on its way: browsers want to be asked
 * at once.
 *
 * @throws when the browser does not allow it
 */
export async function copy(content: Record<string, Promise<Blob>>): Promise<void> {
  if (!navigator.clipboard) throw new Error("this browser copies only from https or from this machine's own address");
  await navigator.clipboard.write([new ClipboardItem(content)]);
}

/** Give the user a file. */
export function download(content: Blob, name: string): void {
  const url = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/**
 * Give the user a picture in a tab of its own, where nothing in it runs. It may still be on its way: browsers open tabs
 * only at once.
 *
 * @throws when the browser opens no tab, or there is no picture
 */
export async function openPicture(content: Promise<Blob>, title: string): Promise<void> {
  const tab = window.open("", "_blank");
  if (!tab) throw new Error("the browser opens no tab; allow it to");
  tab.document.title = title;
  const image = tab.document.createElement("img");
  image.alt = title;
  tab.document.body.append(image);
  try {
    image.src = URL.createObjectURL(await content); // kept, since the tab may save it at any time
  } catch (error) {
    tab.close();
    throw error;
  }
}
