/** The beginning of an output's text, as its picture in the filmstrip. */
import { stripAnsi } from "./ansi.ts";
import { fetchData } from "./api.ts";
import type { DataRef, OutputRecord } from "./protocol.ts";

const BYTES = 1024;
const LINES = 12;
const COLUMNS = 60;
/** Columns in view, to which texts are broken whose lines mean nothing. */
const NARROW = 32;
const FLOWING = ["application/json", "text/html"];
const MOST = 500;
/** Texts that a picture can be made of, the best first. */
const TEXTS = ["text/markdown", "text/latex", "text/plain", "application/json", "text/html"];

const known = new Map<string, Promise<string>>();

export const Snippets = {
  /** The snippet of an output; empty when it has no text worth a look, as `<Figure at 0x7f…>` or a mere name. */
  async of(output: OutputRecord): Promise<string> {
    for (const mime of TEXTS.filter((each) => output.data[each])) {
      const snippet = await textOf(output.data[mime]!, mime);
      const isContent = mime !== "text/plain" || output.mimetypes.length === 1 || snippet.includes("\n");
      if (snippet && isContent) return snippet;
    }
    return "";
  },
};

function textOf({ sha256, url }: DataRef, mime: string): Promise<string> {
  const key = `${sha256} ${mime}`;
  const snippet = known.get(key) ?? fetchData(url, BYTES).then((bytes) => shorten(bytes, mime), () => "");
  known.set(key, snippet);
  for (const old of [...known.keys()].slice(0, Math.max(0, known.size - MOST))) known.delete(old);
  return snippet;
}

function shorten(bytes: ArrayBuffer, mime: string): string {
  const source = stripAnsi(new TextDecoder().decode(bytes.slice(0, BYTES)));
  const text = mime === "text/html" ? withoutTags(source) : source;
  if (/^\s*<[\w.]+[^]*>\s*$/.test(text) || /^\s*<[^\n]*>\s*\n\s*\n/.test(text) || /^[\w.]+\([^\n]*\)$/.test(text)) return "";
  const lines = text.split("\n", LINES);
  return (FLOWING.includes(mime) ? lines.flatMap(broken).slice(0, LINES) : lines).map((line) => line.slice(0, COLUMNS)).join("\n");
}

/** A line in several that are narrow, broken after a space or a comma where there is one. */
const broken = (line: string): string[] => line.match(new RegExp(`.{1,${NARROW - 1}}([ ,]|$)|.{1,${NARROW}}`, "g")) ?? [""];

/** What a page says, roughly. It is only ever shown as text. */
const withoutTags = (html: string): string =>
  html.replace(/<(style|script)[^]*?(<\/\1>|$)/gi, "").replace(/<[^>]*(>|$)/g, " ").replace(/[ \t]+/g, " ").replace(/\s*\n\s*/g, "\n").trim();
