/** What is shown: one MIME type of an output, and all that its renderer is given. */
import { fetchData } from "./api.ts";
import { companionsOf, rendererOf, type Companions } from "./companions.ts";
import type { DataRef, OutputRecord } from "./protocol.ts";
import { family, PACKAGE, type Family } from "./renderers/table.ts";

/** One MIME type of one version of an output. */
export interface View {
  output: OutputRecord;
  mime: string;
}

/** What a frame is given to draw a view. */
export interface Rendering {
  renderer: string;
  mime: string;
  bytes: ArrayBuffer;
  metadata: Record<string, unknown>;
  companions: Companions;
}

/** Which renderer draws a view: that of the pane, else that of the user's package which came with the output. */
export function familyOf({ output, mime }: View): Family {
  const known = family(mime);
  return known.renderer === "unknown" && rendererOf(output, mime) ? PACKAGE : known;
}

/** The MIME metadata of the view's own type; as in Jupyter it may also stand at the top. A figure fills the stage. */
export function metadataOf({ output, mime }: View): Record<string, unknown> {
  if (output.figure && mime === "image/svg+xml") return { fill: true };
  const own = output.metadata[mime];
  return typeof own === "object" && own !== null ? (own as Record<string, unknown>) : output.metadata;
}

/** Fetch what a frame needs for a view. @throws when the output has no such MIME type, or the hub no such data */
export async function renderingOf(view: View): Promise<Rendering> {
  const { output, mime } = view;
  const ref = output.data[mime];
  if (!ref) throw new Error(`the output has no ${mime}`);
  const how = familyOf(view);
  const [bytes, companions] = await Promise.all([fetchData(ref.url), how.brings ? fetchCompanions(view) : { assets: [], preludes: [] }]);
  return { renderer: how.renderer, mime, bytes, metadata: metadataOf(view), companions };
}

async function fetchCompanions({ output, mime }: View): Promise<Companions> {
  const { assets, preludes, widgets } = companionsOf(output, mime);
  const renderer = rendererOf(output, mime);
  const fetched = async <T extends { content: DataRef }>(each: T) => ({ ...each, content: await fetchData(each.content.url) });
  const all: Companions = { assets: await Promise.all(assets.map(fetched)), preludes: await Promise.all(preludes.map(fetched)) };
  if (widgets) all.widgets = await fetchData(widgets.url);
  if (renderer) all.renderer = await fetchData(renderer.url);
  return all;
}

/** Whether it is drawn as an image of the shell's own. */
export const isImage = ({ mime }: View): boolean => family(mime).renderer === "image";

/** Whether it is the picture of a figure, which can be drawn anew. */
export const isPicture = ({ output, mime }: View): boolean => !!output.figure && mime === "image/png";

/** Whether it is a figure whose picture is not there yet. */
export const isAwaited = ({ output, mime }: View): boolean => !!output.figure && !output.data[mime];

/** What an output is called where it cannot be seen: what a figure says in words, or else its title. */
export const nameOf = ({ id, title, figure }: OutputRecord): string => figure?.description ?? title ?? `Output ${id}`;

export const sameVersion = (a: View, b: View): boolean =>
  a.output.id === b.output.id && a.mime === b.mime && a.output.version === b.output.version;

export const same = (a: View, b: View): boolean =>
  sameVersion(a, b) && a.output.data[a.mime]?.sha256 === b.output.data[b.mime]?.sha256;
