/**
 * Small pictures of drawings that nobody has looked at yet: drawn one at a time in a frame out of sight, when there is
 * nothing else to do, for as long as somebody can see their place in the filmstrip.
 */
import type { Link } from "./comms.ts";
import { librariesOf } from "./companions.ts";
import { LARGEST_PICTURE, type FromFrame, type Theme } from "./frame/channel.ts";
import type { LibraryName } from "./libraries.ts";
import type { OutputRecord } from "./protocol.ts";
import type { Frame, Frames } from "./sandbox.ts";
import { MIME, type Shot } from "./taking.ts";
import { familyOf, renderingOf, type View } from "./view.ts";

/** What sketches need of the pane. */
export interface Around {
  frames(): Frames | undefined;
  /** Milliseconds for which the user has looked at what is there. */
  calm(): number;
  theme(): Theme;
  /** A picture of a view from where it is shown already, if it is. */
  shown(view: View): Promise<Blob | null> | undefined;
  /** A line to the comms of an output's session that only listens. */
  comms(output: OutputRecord): Link;
  /** Takes a picture. */
  keep(view: View, png: Blob): void;
}

/** What the filmstrip shows. */
export const SMALL: Shot = { format: "png", scale: 1, small: true };

/** Milliseconds for a picture to come. */
const WITHIN = 20_000;
/** Milliseconds of rest between two. */
const REST = 120;
/** Milliseconds for which the user stays where they are, filmstrip and all, before a chart is drawn only for that. */
const STILL = 400;
/** The same for what runs an output's own code, or much of a library's: it has time until nothing else happens. */
const STILL_FOR_PAGES = 2000;
/** How often one is tried: on a busy machine the first may come too late. */
const TRIES = 2;
/** Bytes beyond which data is not drawn only for the filmstrip. */
const LARGEST = 2 * 2 ** 20;
/** Renderers that send a picture of what they have drawn. Others are asked for one. */
const PICTURED: readonly string[] = ["plotly", "vega", "svg", "pdf"];

export class Sketches {
  readonly #wanted = new Map<number, View>();
  /** How often each was tried; `TRIES` for what need not be tried any more. */
  readonly #tried = new Map<string, number>();
  readonly #around: Around;
  #working = false;
  #stirred = 0;
  #turn = 0;
  #frame: { key: string; frame: Frame } | undefined;

  constructor(around: Around) {
    this.#around = around;
  }

  /** Somebody sees where the picture of a view would be. Returns how to say that nobody does any more. */
  want(view: View): () => void {
    const ref = view.output.data[view.mime];
    if (familyOf(view).place !== "frame" || !ref || ref.size > LARGEST || this.#triesOf(view) === TRIES) return () => {};
    this.#wanted.set(view.output.id, view);
    this.#stirred = performance.now();
    void this.#work();
    return () => this.#forget(view);
  }

  #triesOf(view: View): number {
    return this.#tried.get(keyOf(view)) ?? 0;
  }

  #forget(view: View): void {
    if (this.#wanted.get(view.output.id) === view) this.#wanted.delete(view.output.id);
  }

  /** The others come first. */
  #postpone(view: View): void {
    const others = [...this.#wanted].filter(([id]) => id !== view.output.id);
    if (others.length === this.#wanted.size) return;
    this.#wanted.clear();
    for (const [id, each] of [[view.output.id, view] as const, ...others]) this.#wanted.set(id, each);
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    while (this.#wanted.size > 0) {
      await rest();
      const still = Math.min(this.#around.calm(), performance.now() - this.#stirred);
      const view = [...this.#wanted.values()].findLast((each) => still > stillFor(each));
      if (!view) continue;
      const png = await (this.#around.shown(view) ?? this.#draw(view)).then(small, () => null);
      this.#tried.set(keyOf(view), png ? TRIES : this.#triesOf(view) + 1);
      if (this.#triesOf(view) === TRIES) this.#forget(view);
      else this.#postpone(view);
      if (png) this.#around.keep(view, png);
      if (!png || !familyOf(view).updates) this.#drop();
    }
    this.#drop();
    this.#working = false;
  }

  async #draw(view: View): Promise<Blob | null> {
    const frame = await this.#frameFor(view);
    if (!frame) return null;
    const rendering = await renderingOf(view);
    const turn = ++this.#turn;
    const picture = this.#pictureOf(frame, view, turn);
    frame.send({ type: "render", turn, ...rendering, theme: this.#around.theme(), fresh: true }, [rendering.bytes]);
    return picture;
  }

  /** The frame of the one before, if that ran nothing of its own in it and needs the same; else a new one. */
  async #frameFor(view: View): Promise<Frame | null> {
    const libraries = librariesOf(view.output, view.mime);
    const key = JSON.stringify([familyOf(view).renderer, libraries]);
    if (this.#frame?.key !== key) {
      this.#drop();
      const made = await this.#around.frames()?.extra(libraries);
      if (!made) return null;
      this.#frame = { key, frame: made };
    }
    return this.#frame.frame;
  }

  #pictureOf(frame: Frame, view: View, turn: number): Promise<Blob | null> {
    const { renderer } = familyOf(view);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, WITHIN, null);
      const settle = (bytes: ArrayBuffer | null) => {
        clearTimeout(timer);
        resolve(bytes && new Blob([bytes], { type: MIME.png }));
      };
      const handlers: { [T in FromFrame["type"]]?: (message: Extract<FromFrame, { type: T }>) => unknown } = {
        ready: (said) => said.turn === turn && !PICTURED.includes(renderer) && frame.send({ type: "snapshot", number: turn, shot: SMALL }),
        picture: (said) => said.turn === turn && settle(said.bytes),
        snapshot: (said) => said.number === turn && settle(said.bytes),
        failed: (said) => said.turn === turn && settle(null),
        want: ({ name }) => this.#around.frames()?.provide(frame, { name: name as LibraryName }).catch(() => settle(null)),
        comms: () => renderer === "widgets" && frame.link(() => this.#around.comms(view.output)),
      };
      const message = (said: FromFrame) => void handlers[said.type]?.(said as never);
      frame.events = { message, stuck: () => settle(null), lost: () => settle(null) };
    });
  }

  #drop(): void {
    this.#frame?.frame.dispose();
    this.#frame = undefined;
  }
}

const stillFor = (view: View): number => (PICTURED.includes(familyOf(view).renderer) ? STILL : STILL_FOR_PAGES);

/** What is sent as a small picture may be anything. */
const small = (png: Blob | null): Blob | null => (png && png.size <= LARGEST_PICTURE ? png : null);

const keyOf = ({ output, mime }: View): string => output.data[mime]?.sha256 ?? "";

const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, REST));
