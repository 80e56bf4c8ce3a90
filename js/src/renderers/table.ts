/** Which renderer draws which MIME type, and which MIME type of a bundle is the richest: the order of this table. */
import type { LibraryName } from "../libraries.ts";

export interface Family {
  /** The renderer's file in this folder. */
  renderer: RendererName;
  matches: RegExp;
  /** What people call it, in one word or two. */
  label: string;
  /** `shell`: text and pictures, which cannot run anything. `frame`: everything else, in a sandbox. */
  place: "shell" | "frame";
  /** Libraries without which it draws nothing. */
  libraries: LibraryName[];
  /** Whether a new version can be drawn into the same frame; otherwise it gets a fresh one. */
  updates: boolean;
  /** Whether it is a drawing, which is magnified; letters of anything else get larger and flow anew. */
  magnifies: boolean;
  /** Whether it is a text that may need the files and load messages which came with it. */
  brings: boolean;
}

export type ShellRendererName = "image" | "text" | "unknown";
export type FrameRendererName = "plotly" | "vega" | "html" | "markdown" | "latex" | "svg" | "pdf" | "javascript" | "json" | "package" | "widgets";
export type RendererName = ShellRendererName | FrameRendererName;

const DRAWINGS: readonly RendererName[] = ["plotly", "vega", "svg"];

const frame = (renderer: FrameRendererName, matches: RegExp, label: string, libraries: LibraryName[] = [], updates = true): Family => ({
  renderer, matches, label, place: "frame", libraries, updates, brings: !updates, magnifies: DRAWINGS.includes(renderer),
});
const shell = (renderer: ShellRendererName, matches: RegExp, label: string): Family => ({
  renderer, matches, label, place: "shell", libraries: [], updates: true, brings: false, magnifies: false,
});

export const FAMILIES: readonly Family[] = [
  frame("widgets", /^application\/vnd\.jupyter\.widget-view\+json$/, "Widget", ["widgets"], false),
  frame("plotly", /^application\/vnd\.plotly\.v1\+json$/, "Plotly", ["plotly"]),
  frame("vega", /^application\/vnd\.vegalite\.v[56](\.\d+)*[.+]json$/, "Vega-Lite", ["vega"]),
  frame("vega", /^application\/vnd\.vega\.v[56](\.\d+)*[.+]json$/, "Vega", ["vega"]),
  frame("json", /^application\/geo\+json$/, "GeoJSON"),
  frame("html", /^text\/html$/, "HTML", [], false),
  frame("markdown", /^text\/markdown$/, "Markdown", ["markdown"]),
  frame("latex", /^text\/latex$/, "LaTeX", ["katex"]),
  frame("svg", /^image\/svg\+xml$/, "SVG"),
  shell("image", /^image\/png$/, "PNG"),
  shell("image", /^image\/webp$/, "WebP"),
  shell("image", /^image\/avif$/, "AVIF"),
  shell("image", /^image\/jpeg$/, "JPEG"),
  shell("image", /^image\/gif$/, "GIF"),
  shell("image", /^image\/bmp$/, "BMP"),
  frame("pdf", /^application\/pdf$/, "PDF", ["pdf"]),
  frame("javascript", /^application\/javascript$/, "JavaScript", [], false),
  frame("json", /^application\/json$/, "JSON"),
];

/** What goes with a bundle and is never shown itself, see `companions.ts`. */
const COMPANION = "application/vnd.ipyweb.";
const TEXT = shell("text", /^text\/plain$/, "Text");
const UNKNOWN = shell("unknown", /^/, "Unknown");
/** A MIME type that nobody here knows, with a renderer that came with the output. */
export const PACKAGE = frame("package", /^/, "Package", [], false);

/** The family of a MIME type. */
export function family(mime: string): Family {
  return FAMILIES.find((each) => each.matches.test(mime)) ?? (TEXT.matches.test(mime) ? TEXT : UNKNOWN);
}

/** MIME types, the richest first. What nobody here knows comes before plain text, which hides that there is more. */
export function byRichness(mimetypes: readonly string[]): string[] {
  return [...mimetypes].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function rank(mime: string): number {
  const known = FAMILIES.findIndex((each) => each.matches.test(mime));
  if (known >= 0) return known;
  return FAMILIES.length + (TEXT.matches.test(mime) ? 1 : mime.startsWith(COMPANION) ? 2 : 0);
}

/** A short name of a MIME type for people: `PNG`, `Plotly`, or for an unknown one its own subtype. */
export function label(mime: string): string {
  const found = family(mime);
  return found === UNKNOWN ? mime.replace(/^[^/]*\//, "").replace(/^vnd\./, "") : found.label;
}
