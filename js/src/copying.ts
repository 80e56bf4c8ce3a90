/** What is shown as a text to be pasted somewhere else: as Markdown, as HTML, or as an address that holds all of it. */

export type Form = "markdown" | "html" | "data-uri";

export const FORMS: Record<Form, string> = { markdown: "Markdown", html: "HTML", "data-uri": "a data URI" };

/** Bytes above which a text that holds them is of no use to anybody. */
export const LARGEST = 2 ** 25;

const LANGUAGES: readonly [RegExp, string][] = [[/json$/, "json"], [/javascript$/, "javascript"], [/xml$/, "xml"]];

/**
 * Content in one of the forms.
 *
 * @param content of the type that it says
 * @param name what pictures and files are called
 * @throws when it is too large
 */
export async function written(form: Form, content: Blob, name: string): Promise<string> {
  if (content.size > LARGEST) throw new Error(`it has ${Math.round(content.size / 2 ** 20)} MB; save it as a file`);
  return WRITERS[form](content, name.replace(/\s+/g, " ").trim());
}

const WRITERS: Record<Form, (content: Blob, name: string) => Promise<string>> = { markdown: asMarkdown, html: asHtml, "data-uri": dataUri };

async function asMarkdown(content: Blob, name: string): Promise<string> {
  if (/^text\/(?:markdown|html|latex)$/.test(content.type)) return content.text();
  if (isText(content.type)) return fenced(await content.text(), LANGUAGES.find(([matches]) => matches.test(content.type))?.[1] ?? "");
  const label = name.replace(/[\\[\]]/g, "\\$&");
  return `${content.type.startsWith("image/") ? "!" : ""}[${label}](${await dataUri(content)})`;
}

async function asHtml(content: Blob, name: string): Promise<string> {
  if (content.type === "text/html") return content.text();
  if (isText(content.type)) return `<pre><code>${escaped(await content.text())}</code></pre>`;
  const address = await dataUri(content);
  return content.type.startsWith("image/") ? `<img src="${address}" alt="${escaped(name)}">` : `<a href="${address}">${escaped(name)}</a>`;
}

async function dataUri(content: Blob): Promise<string> {
  const bytes = new Uint8Array(await content.arrayBuffer());
  return `data:${content.type}${isText(content.type) ? ";charset=utf-8" : ""};base64,${base64(bytes)}`;
}

/** A picture in XML is a picture. */
const isText = (mime: string): boolean => mime.startsWith("text/") || /json$|javascript$/.test(mime);

/** Between fences that the text itself has not. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([each]) => each.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text.replace(/\n$/, "")}\n${fence}`;
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);

/** Bytes that are spread over the stack at once. */
const PIECE = 2 ** 15;

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; start += PIECE) text += String.fromCharCode(...bytes.subarray(start, start + PIECE));
  return btoa(text);
}
