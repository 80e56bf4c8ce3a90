/** What the user saves as files: what is shown, a figure in another size, several outputs in one. */
import { fetchData, type Api } from "./api.ts";
import type { Pane } from "./pane.svelte.ts";
import type { OutputRecord } from "./protocol.ts";
import { download, MIME, openPicture, type Format } from "./taking.ts";
import type { View } from "./view.ts";

type Around = Pick<Pane, "seeing" | "outputs" | "marks" | "toasts">;

/** Which outputs to put into one file, and how. */
export interface Export {
  scope: "marked" | "listed" | "session";
  format: string;
  /** What is left out otherwise: code, argv, cwd, host. */
  include: readonly string[];
}

export class Files {
  readonly #api: Api;
  readonly #pane: Around;

  constructor(api: Api, pane: Around) {
    this.#api = api;
    this.#pane = pane;
  }

  /** Save what is stored of a view. */
  async save(view: View): Promise<void> {
    if (view.output.data[view.mime]) await this.#pane.toasts.attempt("saved", () => saveStored(view));
  }

  /** Save what is shown, as it is seen; what is stored in that format where there is no picture of it. */
  async savePicture(format: Format): Promise<void> {
    const { seeing } = this.#pane;
    if (!seeing?.shown) return;
    const { output } = seeing.shown;
    const mime = MIME[format];
    await this.#pane.toasts.attempt("saved", async () => {
      const picture = await seeing.snapshot(format).catch((error: unknown) => {
        if (!output.data[mime]) throw error;
      });
      if (picture) download(picture, fileName(output, mime));
      else await saveStored({ output, mime });
    });
  }

  /** Save a picture of an output that is on its way. */
  async saveMade(output: OutputRecord, mime: string, picture: Promise<Blob>): Promise<void> {
    await this.#pane.toasts.attempt("saved", async () => download(await picture, fileName(output, mime)));
  }

  /** Open a picture of an output that is on its way in a tab of its own. */
  async openMade(output: OutputRecord, picture: Promise<Blob>): Promise<void> {
    await this.#pane.toasts.attempt("opened", () => openPicture(picture, output.title ?? `Output ${output.id}`));
  }

  /**
   * Save several outputs as one file.
   *
   * @param progressed told the bytes that have come, and about how many there are
   */
  async export({ scope, format, include }: Export, progressed: (done: number, total: number) => void): Promise<void> {
    await this.#pane.toasts.attempt("exported", async () => {
      const { content, name } = await this.#api.export({ ...this.#scopes[scope](), format, include: include.join() }, progressed);
      download(content, name);
    });
  }

  /** How the hub is told what is meant. */
  readonly #scopes: Record<Export["scope"], () => Record<string, string>> = {
    marked: () => ({ ids: this.#pane.marks.ids.join() }),
    session: () => ({ session: this.#pane.outputs.shown?.session ?? "" }),
    listed: (): Record<string, string> => {
      const { order, inScope, complete, project } = this.#pane.outputs;
      if (!complete || order.length !== inScope.length) return { ids: ranges(order) };
      return project === null ? {} : { project };
    },
  };
}

/** Ascending ids in few words: `15,17,20-40`. */
function ranges(ids: readonly number[]): string {
  const begins = ids.filter((id, i) => ids[i - 1] !== id - 1);
  const ends = ids.filter((id, i) => ids[i + 1] !== id + 1);
  return begins.map((id, i) => (ends[i] === id ? id : `${id}-${ends[i]}`)).join();
}

async function saveStored({ output, mime }: View): Promise<void> {
  download(new Blob([await fetchData(output.data[mime]!.url)]), fileName(output, mime));
}

const EXTENSIONS: Record<string, string> = {
  "text/plain": "txt", "text/html": "html", "text/markdown": "md", "text/latex": "tex", "image/jpeg": "jpg",
  "image/svg+xml": "svg", "application/javascript": "js",
};

/** A file name from a title that anybody may have made up: letters, digits and little else. */
export function fileName(output: OutputRecord, mime: string): string {
  const stem = (output.title ?? "").replace(/[^\p{L}\p{N}._-]+/gu, " ").replace(/^[ .]+|[ .]+$/g, "").slice(0, 80);
  const extension = EXTENSIONS[mime] ?? (/json$/.test(mime) ? "json" : /^[a-z]+\/([a-z0-9]{2,8})$/.exec(mime)?.[1] ?? "bin");
  return `${stem || `output-${output.id}`}.${extension}`;
}
