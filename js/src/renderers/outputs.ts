/** What an `Output` widget has captured, drawn as the pane draws the same things: each by the richest of its MIME types. */
import type { NotebookOutput } from "../widgets/outputs.ts";
import type { Bundle, Cleanup } from "./renderer.ts";
import { byRichness, family } from "./table.ts";
import * as text from "./text.ts";

/** Draws a MIME bundle's widget. */
export type DrawWidget = (el: HTMLElement, model: string) => Promise<Cleanup>;

/** Draw one output of a notebook into an element. */
export async function drawOutput(el: HTMLElement, output: NotebookOutput, bundle: Bundle, widget: DrawWidget): Promise<Cleanup> {
  if (output.output_type === "stream") return drawText(el, joined(output.text), output.name ?? "");
  if (output.output_type === "error") return drawText(el, (output.traceback ?? []).join("\n"), "stderr");
  const { data = {}, metadata = {} } = output;
  const [mime] = byRichness(Object.keys(data));
  if (mime === undefined) return () => {};
  const draw = DRAWN[family(mime).renderer];
  if (draw) return draw({ el, mime, value: data[mime], plain: joined(data["text/plain"]), widget });
  return bundle.draw(el, mime, bytesOf(mime, data[mime]), own(metadata, mime));
}

interface Part {
  el: HTMLElement;
  mime: string;
  value: unknown;
  plain: string;
  widget: DrawWidget;
}

/** What is drawn in another way here than in a frame of its own. */
const DRAWN: Partial<Record<string, (part: Part) => Cleanup | Promise<Cleanup>>> = {
  widgets: ({ el, value, widget }) => widget(el, String((value as { model_id?: unknown }).model_id)),
  html: ({ el, value }) => drawHtml(el, joined(value)),
  image: ({ el, mime, value, plain }) => drawImage(el, mime, joined(value), plain),
  text: ({ el, value }) => drawText(el, joined(value), ""),
  unknown: ({ el, plain }) => drawText(el, plain, ""),
};

function drawText(el: HTMLElement, words: string, name: string): Cleanup {
  text.render(el, new TextEncoder().encode(words).buffer as ArrayBuffer);
  el.firstElementChild!.classList.toggle("stderr", name === "stderr");
  return () => {};
}

/** Its scripts run, as in a notebook. */
function drawHtml(el: HTMLElement, html: string): Cleanup {
  el.replaceChildren(document.createRange().createContextualFragment(html));
  return () => {};
}

async function drawImage(el: HTMLElement, mime: string, base64: string, plain: string): Promise<Cleanup> {
  const image = new Image();
  image.alt = plain;
  image.src = `data:${mime};base64,${base64.replaceAll(/\s/g, "")}`;
  await image.decode();
  el.replaceChildren(image);
  return () => {};
}

/** Notebooks may have texts as lists of lines. */
const joined = (value: unknown): string => (Array.isArray(value) ? value.join("") : typeof value === "string" ? value : "");

const own = (metadata: Record<string, unknown>, mime: string): Record<string, unknown> => (metadata[mime] ?? metadata) as Record<string, unknown>;

function bytesOf(mime: string, value: unknown): Uint8Array {
  if (mime.endsWith("json")) return new TextEncoder().encode(JSON.stringify(value));
  if (/^(?:text\/|image\/svg|application\/javascript)/.test(mime)) return new TextEncoder().encode(joined(value));
  return Uint8Array.from(atob(joined(value)), (each) => each.charCodeAt(0));
}
