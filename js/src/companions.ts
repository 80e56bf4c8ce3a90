/**
 * What an output brings besides what is shown: files of the user's own packages, and "load" messages. See
 * `ipyweb/protocol.py`, which says how their MIME types are written.
 */
import type { LibraryName } from "./libraries.ts";
import type { DataRef, OutputRecord } from "./protocol.ts";
import { family } from "./renderers/table.ts";

const ASSET = /^application\/vnd\.ipyweb\.asset; name=(.+)$/;
/** The user's own front-end modules, scripts before them, and long texts, by their names: only widgets know what they are. */
export const OF_WIDGETS = /^(?:module|text|script):/;
const WIDGETS = "application/vnd.ipyweb.widgets";
const WIDGET_VIEW = "application/vnd.jupyter.widget-view+json";
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
  /** The last state of the widgets that an ended session showed. */
  widgets?: Content;
}

/** A library of the pane, or the user's own script that replaces it. */
export interface Wanted {
  name: LibraryName;
  /** Where the user's own script is. */
  url?: string;
}

/** What an output brings for its texts, or for its widget. */
export function companionsOf({ data }: OutputRecord, mime: string): Companions<DataRef> {
  const all = Object.entries(data);
  const assets = all.flatMap(([each, content]) => {
    const name = ASSET.exec(each)?.[1];
    return name?.includes(":") ? [{ name, content }] : [];
  });
  const preludes = all.flatMap(([each, content]) => {
    const match = PRELUDE.exec(each);
    return match ? [{ n: Number(match[1]), type: match[2]!, content }] : [];
  });
  const widgets = mime === WIDGET_VIEW ? data[WIDGETS] : undefined;
  return {
    assets: assets.filter(({ name }) => mime === WIDGET_VIEW || !OF_WIDGETS.test(name)),
    preludes: preludes.sort((a, b) => a.n - b.n).map(({ type, content }) => ({ type, content })),
    ...(widgets && { widgets }),
  };
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
