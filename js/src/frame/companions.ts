/** Files and load messages that came with an output: the files get addresses of the frame's own, which take the place of their URLs. */
import { OF_WIDGETS, type Asset, type Companions, type Prelude } from "../companions.ts";

const TYPES: Record<string, string> = { js: "text/javascript", mjs: "text/javascript", css: "text/css", json: "application/json" };

/** URL → address inside this frame; made once for each, as long as the frame lives. */
const addresses = new Map<string, string>();

/** Put the output's own files where its text looks for them. */
export function placed(source: string, all: readonly Asset<ArrayBuffer | string>[]): string {
  const assets = all.filter(({ name }) => !OF_WIDGETS.test(name));
  for (const { name, content } of assets) {
    if (!addresses.has(name)) addresses.set(name, URL.createObjectURL(new Blob([content], { type: typeOf(name) })));
  }
  // the longest first: one URL may begin with another
  const names = assets.map(({ name }) => name).sort((a, b) => b.length - a.length);
  return names.reduce((text, name) => text.replaceAll(name, addresses.get(name)!), source);
}

/** The load messages as HTML that does the same. */
export function preludeHtml({ preludes, assets }: Companions): string {
  return preludes.map((each) => asHtml(each, assets)).join("\n");
}

/** Run the load messages, in their order: scripts that are inserted run only when they are made anew. */
export async function runPreludes(companions: Companions): Promise<void> {
  const host = document.createElement("div");
  host.innerHTML = preludeHtml(companions);
  document.body.prepend(host);
  for (const inert of host.querySelectorAll("script")) {
    const script = document.createElement("script");
    for (const { name, value } of inert.attributes) script.setAttribute(name, value);
    script.textContent = inert.textContent;
    const settled = new Promise((resolve) => (script.onload = script.onerror = resolve));
    inert.replaceWith(script);
    if (script.src) await settled;
  }
}

function asHtml({ type, content }: Prelude, assets: readonly Asset[]): string {
  const source = placed(new TextDecoder().decode(content), assets);
  if (type === "text/html") return source;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  return `<script src="${url}"></script>`;
}

function typeOf(name: string): string {
  return TYPES[/\.(\w+)(?:\?.*)?$/.exec(name)?.[1] ?? ""] ?? "application/octet-stream";
}
