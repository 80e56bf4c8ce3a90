/** Figures, drawn by their keepers at the hub's request: for the stage in its size, or to be taken away in any other. */
import type { Api } from "./api.ts";
import { Drawings } from "./drawings.ts";
import type { OutputRecord } from "./protocol.ts";
import type { Drawing, Fate, Size } from "./renderers/figure.ts";
import { MIME } from "./taking.ts";

export class Figures {
  /** What came of drawing a figure, the last time. */
  #drawn = $state.raw<{ output: number; version: number; fate: Fate } | null>(null);
  readonly #drawings = new Drawings();
  /** Keepers that have drawn for this pane. */
  readonly #keepers = new Set<string>();
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Draw a figure for the stage. */
  draw = async (output: OutputRecord, size: Size, signal: AbortSignal): Promise<Drawing> => {
    const known = this.drawing(output, size);
    if (known) return known;
    const drawing = await this.#api.drawing(output, size, signal);
    if (drawing.live) {
      this.#keepers.add(output.figure!.keeper);
      this.#drawings.keep(output, size, drawing);
    }
    return drawing;
  };

  /** What was drawn of a figure in that size, if it is still there. */
  drawing(output: OutputRecord, size: Size): Drawing | undefined {
    return this.#drawings.get(output, size);
  }

  /** Whether its keeper has drawn for this pane: so it runs, and can be asked before a picture is stored. */
  canDraw({ figure }: OutputRecord): boolean {
    return this.#keepers.has(figure!.keeper);
  }

  /** Draw a figure to be taken away. @throws when nobody can, and it is not stored */
  async render(output: OutputRecord, mime: string, size: Size): Promise<Blob> {
    const known = mime === MIME.png ? this.drawing(output, size)?.blob : undefined;
    return known ?? this.#api.rendering(output, mime, size);
  }

  /** Learn what came of drawing a figure. */
  learn({ id, version }: OutputRecord, fate: Fate): void {
    this.#drawn = { output: id, version, fate };
  }

  /** What came of drawing it; nothing for what is no figure, and while it is not known. */
  fateOf({ id, version, figure }: OutputRecord): Fate | null {
    const drawn = this.#drawn;
    return figure && drawn?.output === id && drawn.version === version ? drawn.fate : null;
  }
}
