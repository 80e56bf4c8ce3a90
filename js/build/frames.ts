/**
 * Builds what runs inside the sandboxed frames, before the app shell.
 *
 * A frame has an opaque origin: no HTTP cache, and no relative imports from its `blob:` scripts. So each of its parts is
 * one self-contained file: `frame.html` with its script inlined, and one classic script for each heavy library, which
 * defines one global (`src/libraries.ts`). The shell fetches a library once and posts its bytes to the frames.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "vite";
import { LIBRARIES, type LibraryName } from "../src/libraries.ts";

const VIRTUAL = "virtual:library-files";
const require = createRequire(import.meta.url);

/** Libraries whose own distribution is such a classic script already. */
const READY_MADE: Partial<Record<LibraryName, string>> = { plotly: require.resolve("plotly.js-dist-min") };

/** Emits `frame.html` and the libraries, and gives `virtual:library-files` to the shell: library name → file name. */
export function frames(): Plugin {
  const names = Object.keys(LIBRARIES) as LibraryName[];
  let files: Record<string, string> = {};
  return {
    name: "ipyweb-frames",
    apply: "build",
    async buildStart() {
      const scripts = await Promise.all([script("frame/main.ts", "ipywebFrame"), ...names.map(library)]);
      const [frame, ...libraries] = scripts;
      this.emitFile({ type: "asset", fileName: "frame.html", source: page(frame!) });
      files = Object.fromEntries(names.map((name, i) => [name, fileName(name, libraries[i]!)]));
      names.forEach((name, i) => this.emitFile({ type: "asset", fileName: files[name]!, source: libraries[i]! }));
    },
    resolveId: (id) => (id === VIRTUAL ? `\0${VIRTUAL}` : undefined),
    load: (id) => (id === `\0${VIRTUAL}` ? `export default ${JSON.stringify(files)}` : undefined),
  };
}

function library(name: LibraryName): Promise<string> {
  const ready = READY_MADE[name];
  return ready ? readFile(ready, "utf8") : script(`libraries/${name}.ts`, LIBRARIES[name].global);
}

/** Bundles one entry of `src/` into the text of one classic script that defines the global `name`. */
async function script(entry: string, name: string): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: "warn",
    plugins: [woff2Only()],
    resolve: { alias: { "sanitize-html": fileURLToPath(new URL("../src/widgets/sanitize.ts", import.meta.url)) } },
    // pdf.js looks for its files beside itself; in a frame there is no such place.
    define: { "process.env.NODE_ENV": '"production"', "import.meta.url": '""' },
    build: {
      write: false,
      target: "es2023",
      lib: { entry: fileURLToPath(new URL(`../src/${entry}`, import.meta.url)), formats: ["iife"], name },
    },
  });
  const outputs = [result].flat().flatMap((each) => ("output" in each ? each.output : []));
  const chunks = outputs.filter((each) => each.type === "chunk");
  if (chunks.length !== 1) throw new Error(`expected ${entry} to become one script, got ${chunks.length}`);
  return chunks[0]!.code;
}

/** Style sheets that name their fonts in several formats; one is enough for every browser that can show the pane. */
const FONTS = /(?:katex|font-awesome)\.min\.css$/;

function woff2Only(): Plugin {
  return {
    name: "ipyweb-woff2-only",
    enforce: "pre",
    async load(id) {
      const [path, query] = id.split("?");
      if (!FONTS.test(path!) || query !== "inline") return undefined;
      const css = await readFile(path!, "utf8");
      return css.replaceAll(/src:(url\([^;}]*);?/g, (_, sources: string) => {
        const woff2 = sources.split(",").find((each) => /\.woff2\b/.test(each));
        return woff2 ? `src:${woff2};` : "";
      });
    },
  };
}

function fileName(name: string, source: string): string {
  return `assets/${name}-${createHash("sha256").update(source).digest("hex").slice(0, 8)}.js`;
}

function page(code: string): string {
  const inlined = code.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>output</title></head><body><script>${inlined}</script></body></html>\n`;
}
