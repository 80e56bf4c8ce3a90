/** Taking a picture away as it is seen: into the clipboard, or as a file. */

import type { View } from "./view.ts";

export type Format = "png" | "svg";

/** A picture of what is drawn, as somebody wants it. */
export interface Shot {
  format: Format;
  /** Pixels of a PNG for one of CSS. */
  scale: number;
  /** Only what is in view, as small as the filmstrip shows it. */
  small?: boolean;
}

/** What is looked at, and how it is taken away as it is seen. */
export interface Seen {
  readonly shown: View | null;
  /** @throws when it is no picture in that format */
  snapshot(format: Format): Promise<Blob>;
}

export const MIME: Record<Format, string> = { png: "image/png", svg: "image/svg+xml" };

/** A picture in another raster format as a PNG. @throws when it is no picture */
export async function asPng(picture: Blob): Promise<Blob> {
  if (picture.type === MIME.png) return picture;
  const bitmap = await createImageBitmap(picture);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d")!.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas.convertToBlob({ type: MIME.png });
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
