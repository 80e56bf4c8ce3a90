/**
 * Small pictures of drawings that nobody has looked at yet: drawn one at a time in a frame out of sight, when there is
 * nothing else to do, for as long as somebody can see their place in the filmstrip.
 */
import { librariesOf } from "./companions.ts";
import type { FromFrame } from "./frame/channel.ts";
import { family } from "./renderers/table.ts";
import type { Frame, Frames } from "./sandbox.ts";
import { renderingOf, type View } from "./view.ts";

/** Milliseconds for a picture to come. */
const WITHIN = 8000;
/** Milliseconds of rest between two. */
const REST = 120;
/** How often one is tried: on a busy machine the first may come too late. */
const TRIES = 2;
/** Bytes beyond which data is not drawn only for the filmstrip. */
const LARGEST = 2 * 2 ** 20;
/** Renderers that make pictures. */
const PICTURED: readonly string[] = ["plotly", "vega", "svg", "pdf"];

export class Sketches {
  readonly #wanted = new Map<number, View>();
  /** How often each was tried; `TRIES` for what need not be tried any more. */
  readonly #tried = new Map<string, number>();
  readonly #frames: () => Frames | undefined;
  readonly #isCalm: () => boolean;
  readonly #keep: (view: View, png: Blob) => void;
  #working = false;
  #turn = 0;
  #frame: { key: string; frame: Frame } | undefined;

  /**
   * @param isCalm whether what the user looks at is there
   * @param keep takes a picture
   */
  constructor(frames: () => Frames | undefined, isCalm: () => boolean, keep: (view: View, png: Blob) => void) {
    this.#frames = frames;
    this.#isCalm = isCalm;
    this.#keep = keep;
  }

  /** Somebody sees where the picture of a view would be. Returns how to say that nobody does any more. */
  want(view: View): () => void {
    const ref = view.output.data[view.mime];
    if (!PICTURED.includes(family(view.mime).renderer) || !ref || ref.size > LARGEST || this.#triesOf(view) === TRIES) return () => {};
    this.#wanted.set(view.output.id, view);
    void this.#work();
    return () => this.#forget(view);
  }

  #triesOf(view: View): number {
    return this.#tried.get(keyOf(view)) ?? 0;
  }

  #forget(view: View): void {
    if (this.#wanted.get(view.output.id) === view) this.#wanted.delete(view.output.id);
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    while (this.#wanted.size > 0) {
      await rest();
      const view = [...this.#wanted.values()].at(-1);
      if (!view || !this.#isCalm()) continue;
      const png = await this.#draw(view).catch(() => null);
      this.#tried.set(keyOf(view), png ? TRIES : this.#triesOf(view) + 1);
      if (this.#triesOf(view) === TRIES) this.#forget(view);
      if (png) this.#keep(view, png);
      else this.#drop();
    }
    this.#drop();
    this.#working = false;
  }

  async #draw(view: View): Promise<Blob | null> {
    const libraries = librariesOf(view.output, view.mime);
    const how = family(view.mime);
    const key = JSON.stringify([how.renderer, libraries]);
    if (this.#frame?.key !== key) {
      this.#drop();
      const made = await this.#frames()?.extra(libraries);
      if (!made) return null;
      this.#frame = { key, frame: made };
    }
    const { frame } = this.#frame;
    const rendering = await renderingOf(view);
    const turn = ++this.#turn;
    const picture = pictureOf(frame, turn);
    frame.send({ type: "render", turn, ...rendering, theme: "light", fresh: true }, [rendering.bytes]);
    return picture;
  }

  #drop(): void {
    this.#frame?.frame.dispose();
    this.#frame = undefined;
  }
}

function pictureOf(frame: Frame, turn: number): Promise<Blob | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, WITHIN, null);
    const settle = (png: Blob | null) => {
      clearTimeout(timer);
      resolve(png);
    };
    const message = (said: FromFrame) => {
      if (said.type === "picture" && said.turn === turn) settle(new Blob([said.bytes], { type: "image/png" }));
      else if (said.type === "failed" && said.turn === turn) settle(null);
    };
    frame.events = { message, stuck: () => settle(null), lost: () => settle(null) };
  });
}

const keyOf = ({ output, mime }: View): string => output.data[mime]?.sha256 ?? "";

const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, REST));
