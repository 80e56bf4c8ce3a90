/**
 * Frames that nobody looks at: those that were left, as they were, and those in which the next drawing is there before
 * anybody comes to see it.
 */
import type { Extent } from "./camera.ts";
import { librariesOf } from "./companions.ts";
import type { FromFrame, Theme } from "./frame/channel.ts";
import { LIBRARIES } from "./libraries.ts";
import type { Frame, Frames } from "./sandbox.ts";
import { renderingOf, same, type View } from "./view.ts";

/** A view in a frame of its own. */
export interface Scene {
  view: View;
  frame: Frame;
  /** By what number the frame knows the drawing. */
  turn: number;
  /** Whether it is drawn, or still being. */
  drawn: boolean;
}

/** Frames without a heavy library that are kept as they were left. */
const KEPT = 4;
/** The same of those with one, besides those drawn ahead. */
const KEPT_HEAVY = 1;
/** How many are drawn ahead: drawing takes long, and so do frames to get ready for it. */
const AHEAD = 2;
/** Bytes of data beyond which nothing is drawn ahead. */
const LARGEST = 4 * 2 ** 20;
/** Milliseconds of rest before anything is drawn ahead: a key that is held down goes by. */
const REST = 60;
/** Milliseconds for a drawing ahead to come. */
const WITHIN = 10_000;

export class Backstage {
  /** The latest first. */
  readonly #scenes: Scene[] = [];
  readonly #frames: Frames;
  readonly #heard: (scene: Scene, message: FromFrame) => void;
  #wanted: readonly View[] = [];
  #turn = 0;
  /** Downwards, so that no number is one of the stage's. */
  #number = 0;

  /** @param heard takes what frames say that has nothing to do with whether they are ready */
  constructor(frames: Frames, heard: (scene: Scene, message: FromFrame) => void) {
    this.#frames = frames;
    this.#heard = heard;
  }

  set theme(theme: Theme) {
    for (const { frame } of this.#scenes) frame.setTheme(theme);
  }

  /** Take in a frame that was left. It is lost where this browser cannot move frames. */
  keep(view: View, frame: Frame): void {
    if (frame.stuck || !this.#frames.park(frame)) return frame.dispose();
    this.#add({ view, frame, turn: 0, drawn: true });
    this.#tidy();
  }

  /** The scene of a view, if there is one; it belongs to the caller. */
  take(view: View): Scene | undefined {
    const at = this.#scenes.findIndex((each) => same(each.view, view));
    return at < 0 ? undefined : this.#scenes.splice(at, 1)[0];
  }

  /** Draw those of the views that take long, the likeliest first, one at a time, until the next call. */
  async draw(views: readonly View[], extent: Extent, theme: Theme): Promise<void> {
    const turn = ++this.#turn;
    this.#wanted = document.hidden ? [] : views.filter(({ output, mime }) => (output.data[mime]?.size ?? Infinity) <= LARGEST).filter(isHeavy).slice(0, AHEAD);
    await new Promise((resolve) => setTimeout(resolve, REST));
    for (const view of this.#wanted) {
      if (turn !== this.#turn) return;
      if (!this.#scenes.some((each) => same(each.view, view))) await this.#drawOne(view, extent, theme).catch(() => {});
    }
  }

  /** Draw nothing more ahead. */
  rest(): void {
    this.#turn++;
  }

  end(): void {
    this.rest();
    for (const { frame } of this.#scenes.splice(0)) frame.dispose();
  }

  async #drawOne(view: View, extent: Extent, theme: Theme): Promise<void> {
    this.#tidy();
    const turn = this.#turn;
    const rendering = await renderingOf(view);
    const frame = await this.#frames.aside(librariesOf(view.output, view.mime), view.output.session, extent);
    if (!frame) return;
    if (turn !== this.#turn) return this.#frames.release(frame, librariesOf(view.output, view.mime), view.output.session);
    const scene: Scene = { view, frame, turn: --this.#number, drawn: false };
    this.#add(scene);
    await this.#drawn(scene, () => frame.send({ type: "render", turn: scene.turn, ...rendering, theme, fresh: true }, [rendering.bytes]));
  }

  /** Resolves when a scene is drawn, has failed, or is somebody else's. */
  #drawn(scene: Scene, begin: () => void): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, WITHIN);
      const { events } = scene.frame;
      const message = (said: FromFrame): void => {
        events?.message(said);
        const settled = said.type === "ready" || said.type === "failed";
        if (!settled || said.turn !== scene.turn) return;
        if (said.type === "ready") scene.drawn = true;
        else this.#drop(scene);
        clearTimeout(timer);
        resolve();
      };
      if (events) scene.frame.events = { ...events, message };
      begin();
    });
  }

  #add(scene: Scene): void {
    const drop = (): void => this.#drop(scene);
    scene.frame.events = { message: (said) => this.#heard(scene, said), stuck: drop, lost: drop };
    this.#scenes.unshift(scene);
  }

  #drop(scene: Scene): void {
    const at = this.#scenes.indexOf(scene);
    if (at < 0) return; // it is on the stage by now
    this.#scenes.splice(at, 1);
    scene.frame.dispose();
  }

  /** Lets go of what is neither awaited nor among the latest. */
  #tidy(): void {
    const left = this.#scenes.filter(({ view }) => !this.#wanted.some((each) => same(each, view)));
    const [heavy, light] = [left.filter(({ view }) => isHeavy(view)), left.filter(({ view }) => !isHeavy(view))];
    for (const old of [...heavy.slice(KEPT_HEAVY), ...light.slice(KEPT)]) {
      this.#scenes.splice(this.#scenes.indexOf(old), 1);
      const { output, mime } = old.view;
      if (old.drawn) this.#frames.release(old.frame, librariesOf(output, mime), output.session);
      else old.frame.dispose();
    }
  }
}

const isHeavy = ({ output, mime }: View): boolean => librariesOf(output, mime).some(({ name }) => LIBRARIES[name].warm);
