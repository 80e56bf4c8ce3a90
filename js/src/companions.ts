/**
 * What an output brings besides what is shown: files of the user's own packages, and "load" messages. See
 * `ipyweb/protocol.py`, which says how their MIME types are written.
 */
import type { LibraryName } from "./libraries.ts";
import type { DataRef, OutputRecord } from "./protocol.ts";
import { family } from "./renderers/table.ts";

const ASSET = /^application\/vnd\.ipyweb\.asset; name=(.+)$/;
const PRELUDE = /^application\/vnd\.ipyweb\.prelude; n=(\d+); type=(text\/html|application\/javascript)$/;

/** Bytes that stand for a URL. */
export interface Asset<Content = ArrayBuffer> {
  name: string;
  content: Content;
}

/** A load message that goes in front of the text. */
export interface Prelude<Content = ArrayBuffer> {
  type: string;
  content: Content;
}

export interface Companions<Content = ArrayBuffer> {
  assets: Asset<Content>[];
  preludes: Prelude<Content>[];
  /** The JavaScript module of a package that draws what is shown. */
  renderer?: Content;
}

/** A library of the pane, or the user's own script that replaces it. */
export interface Wanted {
  name: LibraryName;
  /** Where the user's own script is. */
  url?: string;
}

/** What an output brings for its texts. */
export function companionsOf({ data }: OutputRecord): Companions<DataRef> {
  const all = Object.entries(data);
  const assets = all.flatMap(([mime, content]) => {
    const name = ASSET.exec(mime)?.[1];
    return name?.includes(":") ? [{ name, content }] : [];
  });
  const preludes = all.flatMap(([mime, content]) => {
    const match = PRELUDE.exec(mime);
    return match ? [{ n: Number(match[1]), type: match[2]!, content }] : [];
  });
  return { assets, preludes: preludes.sort((a, b) => a.n - b.n).map(({ type, content }) => ({ type, content })) };
}

/** The module of a package that draws a MIME type of an output, if one came with it. */
export const rendererOf = ({ data }: OutputRecord, mime: string): DataRef | undefined => data[`application/vnd.ipyweb.renderer; type=${mime}`];

/** The libraries that a MIME type of an output needs, the user's own before the pane's. */
export function librariesOf({ data }: OutputRecord, mime: string): Wanted[] {
  return family(mime).libraries.map((name) => {
    const own = data[`application/vnd.ipyweb.asset; name=${name}`];
    return own ? { name, url: own.url } : { name };
  });
}
