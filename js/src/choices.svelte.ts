/** As what outputs are shown: in the MIME type that the user chose, else in the richest that is there or will be soon. */
import type { OutputRecord } from "./protocol.ts";
import { storedMime, type Fate } from "./renderers/figure.ts";
import { byRichness } from "./renderers/table.ts";
import type { View } from "./view.ts";

/** Milliseconds for which the picture of a figure is waited for; after that its text has to do. */
const PATIENCE = 60_000;

export class Choices {
  #chosen = $state.raw<ReadonlyMap<number, string>>(new Map());

  choose(output: OutputRecord, mime: string): void {
    this.#chosen = new Map(this.#chosen).set(output.id, mime);
  }

  /**
   * How an output is shown; `null` when it has nothing to show.
   *
   * @param fate what came of drawing its figure, if that is known
   */
  viewOf(output: OutputRecord, fate: Fate | null = null): View | null {
    const picture = fate?.live === false ? storedMime(output) : "image/png";
    const richest = output.figure && isComing(output) && !plays(output) ? picture : byRichness(output.mimetypes)[0];
    const chosen = this.#chosen.get(output.id);
    const mime = chosen && output.mimetypes.includes(chosen) ? chosen : richest;
    return mime ? { output, mime } : null;
  }
}

/** Whether a figure's picture is there or will be soon. */
function isComing({ figure, mimetypes, updated }: OutputRecord): boolean {
  return mimetypes.includes("image/png") || (!figure?.failed && Date.now() - Date.parse(updated) < PATIENCE);
}

/** Whether a figure's animation is there, which comes after its picture. */
const plays = ({ mimetypes }: OutputRecord): boolean => mimetypes.includes("text/html");
