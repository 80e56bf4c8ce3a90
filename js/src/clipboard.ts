/** What the user copies: what is shown, as a picture or as a text that holds it, or a text that stands beside it. */
import { fetchData } from "./api.ts";
import { FORMS, written, type Form } from "./copying.ts";
import type { Pane } from "./pane.svelte.ts";
import { family } from "./renderers/table.ts";
import { takeKeys } from "./screen.svelte.ts";
import { copy, MIME, type Seen } from "./taking.ts";
import type { View } from "./view.ts";

type Around = Pick<Pane, "seeing" | "toasts">;

/** What to do where the browser takes a key that was pressed inside an output for the output's. */
const AGAIN = "the output had the keys; now the pane has, so ask again";

export class Clipboard {
  readonly #pane: Around;

  constructor(pane: Around) {
    this.#pane = pane;
  }

  /** Copy a text, and say what it was. */
  async copyText(text: string, what: string): Promise<void> {
    await this.#copy(what, { "text/plain": Promise.resolve(new Blob([text], { type: "text/plain" })) });
  }

  /** Copy what is shown as a picture, as it is seen; of a text, the text. */
  async copyPicture(): Promise<void> {
    const { seeing } = this.#pane;
    const view = seeing?.shown;
    if (!view) return;
    if (view.mime === "text/plain") await this.#copy("the text", { "text/plain": stored(view) });
    else await this.#copy("the picture", { [MIME.png]: seeing.snapshot("png") });
  }

  /**
   * Copy what is shown, or what is given, as a text in one of the forms. HTML can be pasted as what it shows, too.
   *
   * @param content a picture of what is shown
   */
  async copyAs(form: Form, content?: Promise<Blob>): Promise<void> {
    const { seeing } = this.#pane;
    const view = seeing?.shown;
    if (!view) return;
    const text = (content ?? taken(seeing, view)).then((taken) => written(form, taken, view.output.title ?? `Output ${view.output.id}`));
    const as = (type: string) => text.then((each) => new Blob([each], { type }));
    await this.#copy(`as ${FORMS[form]}`, { "text/plain": as("text/plain"), ...(form === "html" && { "text/html": as("text/html") }) });
  }

  /** Browsers tell little of why nothing was copied: what could not be made says more. */
  async #copy(what: string, content: Record<string, Promise<Blob>>): Promise<void> {
    const inside = document.activeElement?.localName === "iframe";
    takeKeys();
    for (const each of Object.values(content)) each.catch(() => {}); // it is told below, however late the browser asks
    try {
      await copy(content);
      this.#pane.toasts.say(`Copied ${what}`);
    } catch (error) {
      const reason: unknown = await Promise.all(Object.values(content)).then(() => error, (failure: unknown) => failure);
      const { name, message } = reason as Error;
      // what WebKit allows for a key, it does not allow for one that a frame has handed on
      this.#pane.toasts.say(`Not copied: ${inside && name === "NotAllowedError" ? AGAIN : message}`);
    }
  }
}

/** What is shown: as it is stored if that is a text, or a picture that can be read as one; else as it is seen. */
const taken = (seeing: Seen, view: View): Promise<Blob> => (isDrawn(view) ? seeing.snapshot("png").catch(() => stored(view)) : stored(view));

/** What the hub has of a view. */
const stored = async ({ output, mime }: View): Promise<Blob> => new Blob([await fetchData(output.data[mime]!.url)], { type: mime });

/** Whether it is seen in another way than it is stored: a figure in its size, a plot drawn from its JSON. */
const isDrawn = ({ output, mime }: View): boolean =>
  !output.data[mime] || (!!output.figure && mime === MIME.png) || family(mime).libraries.some((each) => each === "plotly" || each === "vega");
