/**
 * Puts one MIME type of one output into the stage, and says when its pixels are there.
 *
 * What was shown before stays until the next is ready, or 150 ms have gone: no blank between two pictures, and no flash
 * on an update. Frames that were left are parked and come back as they were.
 */
import { Ahead } from "./ahead.ts";
import { Backstage, type Scene } from "./backstage.ts";
import { fetchData } from "./api.ts";
import type { Link } from "./comms.ts";
import { librariesOf } from "./companions.ts";
import type { Figures } from "./figures.svelte.ts";
import type { FromFrame, Theme } from "./frame/channel.ts";
import { Layer } from "./layer.ts";
import type { Lens } from "./lens.svelte.ts";
import type { LibraryName } from "./libraries.ts";
import type { DataRef, OutputRecord } from "./protocol.ts";
import { drawFirst, LiveFigure, sizeIn, type Fate, type First, type Size } from "./renderers/figure.ts";
import * as image from "./renderers/image.ts";
import { label, type Family } from "./renderers/table.ts";
import * as text from "./renderers/text.ts";
import * as unknown from "./renderers/unknown.ts";
import type { Frame, Frames } from "./sandbox.ts";
import { SMALL } from "./sketches.ts";
import { MIME, resampled, type Format, type Shot } from "./taking.ts";
import { familyOf, isAwaited, isImage, isPicture, nameOf, renderingOf, same, sameVersion, type View } from "./view.ts";
import { Viewport, wheelFactor } from "./viewport.svelte.ts";

export type State = "loading" | "ready" | "error";

export interface PresenterEvents {
  key(chord: string): void;
  link(href: string): void;
  /** The address of a picture of a version of an output, for the filmstrip, which revokes it when it needs it no more. */
  picture(output: OutputRecord, url: string): void;
  /** The user wants the bytes of a MIME type as a file. */
  save(view: View): void;
  /** Where the frame document of an output is to which the user has allowed more than to others. */
  network(output: OutputRecord): string | null;
  /** A line to the comms of the session that an output is of. */
  comms(output: OutputRecord): Link;
}

/** Milliseconds for which the previous output stays while the next one loads. */
const GRACE = 150;
/** Milliseconds for which an image that is loading is not given up for a newer one. */
const UNDISTURBED = 100;
/** Milliseconds for a frame to give a picture of what it shows, and a small one that nobody has asked for. */
const SNAPSHOT_WITHIN = 30_000;
const SMALL_WITHIN = 8000;

export class Presenter {
  /** What is shown, or about to be; changes together with `state`. */
  shown = $state.raw<View | null>(null);
  state = $state<State>("loading");
  /** Why `state` is `error`. */
  problem = $state("");
  /** What the output was refused or stumbled over, one line each. */
  notices = $state.raw<readonly string[]>([]);
  /** Hosts of the internet that the output has asked for in vain. */
  asked = $state.raw<readonly string[]>([]);
  /** Whether the frame does not answer. */
  stuck = $state(false);

  readonly #stage: HTMLElement;
  readonly #frames: Frames;
  readonly #figures: Figures;
  readonly #events: PresenterEvents;
  readonly #lens: Lens;
  /** Where one looks at what is shown. */
  readonly viewport: Viewport;
  readonly #backstage: Backstage;
  readonly #ahead = new Ahead();
  #drawingAhead = new AbortController();
  /** What waits for pictures of what frames show, by number. */
  readonly #snapshots = new Map<number, { frame: Frame; answer: PromiseWithResolvers<ArrayBuffer | null> }>();
  #snapshot = 0;
  #theme: Theme;
  #current: Layer | undefined;
  #next: Layer | undefined;
  /** Ends the request for a figure that is drawn ahead. */
  #asking: AbortController | undefined;
  #began = 0;
  /** When somebody asked for what is shown. */
  #asked = 0;
  /** What is being drawn, and what comes after it. */
  #flying: View | undefined;
  #pending: View | undefined;
  #grace: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;

  constructor(stage: HTMLElement, frames: Frames, figures: Figures, lens: Lens, theme: Theme, events: PresenterEvents) {
    this.#stage = stage;
    this.#frames = frames;
    this.#figures = figures;
    this.#lens = lens;
    this.#theme = theme;
    this.#events = events;
    this.viewport = new Viewport(stage, lens);
    this.#backstage = new Backstage(frames, (scene, message) => this.#heardAside(scene, message));
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    for (const layer of [this.#current, this.#next]) layer?.frame?.setTheme(theme);
    this.#backstage.theme = theme;
  }

  /** Show a view; the latest call wins. */
  show(view: View): void {
    const previous = this.shown;
    this.shown = view;
    this.#asked = performance.now();
    for (const layer of [this.#current, this.#next]) if (layer?.isOf(view.output, view.mime)) layer.name(view.output);
    if (previous && same(previous, view)) return;
    this.#set("loading");
    if (isAwaited(view) && !this.#figures.canDraw(view.output)) {
      this.#turn++;
      this.#flying = this.#pending = undefined;
      this.#dropNext();
      this.#leaveInTime(view);
      return;
    }
    if (this.#flying && this.#mayFinish(this.#flying, view)) this.#pending = view;
    else this.#start(view);
  }

  /** Draw an output anew, because the user has allowed it something, or took that back: at once, so nothing of it goes on. */
  renew(output: number): void {
    if (this.#current?.view.output.id === output) this.#leave();
    const { shown } = this;
    if (shown?.output.id !== output) return;
    this.#set("loading");
    this.#start(shown);
  }

  /** Draw once more what could not be drawn: the hub is back, which may have been what was missing. */
  heal(): void {
    if (this.state === "error" && this.shown) this.renew(this.shown.output.id);
  }

  /** Show nothing. */
  clear(): void {
    this.shown = null;
    this.#turn++;
    this.#flying = this.#pending = undefined;
    this.#dropNext();
    this.#leave();
  }

  /** What is shown as it is seen, to be taken away. @throws when it is no picture in that format */
  async snapshot(format: Format, as: Partial<Shot> = {}): Promise<Blob> {
    const layer = this.#current;
    if (!layer) throw new Error("nothing is shown");
    const { view, frame } = layer;
    const blob = await (frame ? this.#snapshotOf(frame, { scale: this.#scaleOf(view), ...as, format }) : this.#pictureAs(view, format, as));
    if (!blob) throw new Error(`${label(view.mime)} cannot be taken as ${format.toUpperCase()}`);
    return blob;
  }

  async #pictureAs(view: View, format: Format, as: Partial<Shot>): Promise<Blob | null> {
    if (isPicture(view)) return this.#figures.render(view.output, MIME[format], this.#sizeOf(view.output, format === "svg" ? 1 : undefined));
    if (!isImage(view) || format === "svg") return null;
    return resampled(new Blob([await fetchData(view.output.data[view.mime]!.url)], { type: view.mime }), format, as);
  }

  /** Pixels of the screen for one of CSS in a frame: as many as one sees. */
  #scaleOf({ output }: View): number {
    return (window.devicePixelRatio || 1) * this.#lens.camera(output.id).zoom;
  }

  /** Asks a frame, which may have nothing to give, or not answer. @throws with the frame's own reason */
  async #snapshotOf(frame: Frame, shot: Shot): Promise<Blob | null> {
    const number = ++this.#snapshot;
    const answer = Promise.withResolvers<ArrayBuffer | null>();
    const timer = setTimeout(() => answer.reject(new Error("it takes too long")), shot.small ? SMALL_WITHIN : SNAPSHOT_WITHIN);
    this.#snapshots.set(number, { frame, answer });
    frame.send({ type: "snapshot", number, shot });
    try {
      const bytes = await answer.promise;
      return bytes && new Blob([bytes], { type: MIME[shot.format] });
    } finally {
      clearTimeout(timer);
      this.#snapshots.delete(number);
    }
  }

  /** A frame's answer, if it was the one that was asked. */
  #taken(frame: Frame, { number, bytes, problem }: Extract<FromFrame, { type: "snapshot" }>): void {
    const asked = this.#snapshots.get(number);
    if (asked?.frame !== frame) return;
    if (problem) asked.answer.reject(new Error(problem));
    else asked.answer.resolve(bytes);
  }

  /** A small picture of a view, from the frame that shows it, if that is what is shown. */
  sketch(view: View): Promise<Blob | null> | undefined {
    const layer = this.#current;
    return layer?.frame && same(layer.view, view) ? this.#snapshotOf(layer.frame, SMALL) : undefined;
  }

  /** Milliseconds since what is shown was asked for; none until it is there. */
  get calm(): number {
    return this.state === "ready" ? performance.now() - this.#asked : 0;
  }

  /** Get ready for what will likely be shown next, the likeliest first; when there is time, it is drawn too. */
  prepare(views: readonly View[], calm: boolean): void {
    this.#drawingAhead.abort();
    this.#drawingAhead = new AbortController();
    this.#ahead.fetch(views);
    this.#backstage.rest();
    if (!calm) return;
    void this.#backstage.draw(views.filter(({ output }) => !this.#events.network(output)), this.viewport.extent, this.#theme);
    void this.#drawNext(views.slice(0, 2).filter((each) => isPicture(each)), this.#drawingAhead.signal);
  }

  async #drawNext(figures: readonly View[], signal: AbortSignal): Promise<void> {
    for (const { output } of figures) {
      const size = this.#sizeOf(output);
      if (signal.aborted) return;
      if (this.#figures.canDraw(output) && !this.#figures.drawing(output, size)) await this.#figures.draw(output, size, signal).catch(() => null);
    }
  }

  /** Give up a frame that does not answer. */
  stop(): void {
    this.#fail(++this.#turn, "It was stopped because it did not answer.");
  }

  end(): void {
    this.clear();
    this.#backstage.end();
    this.viewport.end();
  }

  /** Whether `flying` is awaited before `next`: else a fast series of updates or of pictures would never show any. */
  #mayFinish(flying: View, next: View): boolean {
    if (flying.output.id === next.output.id && flying.mime === next.mime) return true;
    return isImage(flying) && isImage(next) && performance.now() - this.#began < UNDISTURBED;
  }

  #start(view: View): void {
    if (this.#adopt(view)) return;
    const turn = ++this.#turn;
    this.#flying = view;
    this.#pending = undefined;
    this.#began = performance.now();
    this.#dropNext();
    this.stuck = false;
    this.#leaveInTime(view);
    this.#draw(view, turn).catch((error: unknown) => this.#fail(turn, (error as Error).message));
  }

  /** A figure that was drawn for the stage before its picture was stored stays as it is when that comes. */
  #adopt(view: View): boolean {
    const current = this.#current;
    if (!current?.figure || !isAwaited(current.view) || !sameVersion(current.view, view)) return false;
    this.#dropNext();
    this.#stay();
    this.#flying = this.#pending = undefined;
    current.view = view;
    this.#set("ready");
    return true;
  }

  async #draw(view: View, turn: number): Promise<void> {
    if (isAwaited(view) || this.#isDrawn(view)) return this.#drawAhead(view, turn);
    if (familyOf(view).place === "frame" && this.#events.network(view.output)) return this.#drawInFrame(familyOf(view), view, turn);
    const ref = view.output.data[view.mime];
    if (!ref) throw new Error(`the output has no ${view.mime}`);
    const how = familyOf(view);
    if (how.place === "shell") return this.#drawInShell(how, view, ref, turn);
    const scene = this.#backstage.take(view);
    if (scene && this.#bringOn(scene, turn)) return;
    await this.#drawInFrame(how, view, turn);
  }

  /** Whether a figure was drawn for this size of the stage already. */
  #isDrawn(view: View): boolean {
    return isPicture(view) && this.#figures.drawing(view.output, this.#sizeOf(view.output)) !== undefined;
  }

  /** What to ask for a figure now. */
  #sizeOf({ id, figure }: OutputRecord, ratio = window.devicePixelRatio || 1): Size {
    return sizeIn(figure!, this.viewport.extent, this.#lens.sizing, ratio, this.#lens.camera(id).zoom);
  }

  // -- in the shell ---------------------------------------------------------------------------------------------------

  async #drawInShell(how: Family, view: View, ref: DataRef, turn: number): Promise<void> {
    const layer = new Layer(view);
    this.#next = layer;
    if (how.renderer === "image") layer.element.append(await image.load(ref.url, nameOf(view.output), this.#ahead.take(ref.url)));
    else if (how.renderer === "text") text.render(layer.element, await fetchData(ref.url));
    else unknown.render(layer.element, await this.#unknown(view, ref));
    if (turn !== this.#turn) return;
    this.#stage.append(layer.element);
    this.#appear(layer, turn);
  }

  /** A figure whose stored picture is yet to come, drawn for the stage; if that cannot be, it is waited for. */
  async #drawAhead(view: View, turn: number): Promise<void> {
    const layer = new Layer(view);
    this.#next = layer;
    this.#asking = new AbortController();
    const drawn = (picture: string) => this.#events.picture(view.output, picture);
    const first = await drawFirst(view.output, this.#sizeOf(view.output), this.#figures.draw, drawn, this.#asking.signal).catch(() => null);
    if (turn !== this.#turn) return;
    if (!first) {
      this.#dropNext();
      return this.#settle();
    }
    layer.element.append(image.dress(first.image, nameOf(view.output)));
    this.#appear(layer, turn, first);
  }

  #appear(layer: Layer, turn: number, first?: First): void {
    this.#stage.append(layer.element);
    this.#enliven(layer, first);
    this.#arrive(layer);
    requestAnimationFrame(() => turn === this.#turn && this.#set("ready"));
    if (document.hidden) this.#set("ready");
    this.#settle();
  }

  /** A figure's picture follows the stage's size from now on. */
  #enliven(layer: Layer, first?: First): void {
    const { output, mime } = layer.view;
    const picture = layer.element.querySelector<HTMLImageElement>("img");
    if (!output.figure || mime !== "image/png" || !picture) return;
    const told = (fate: Fate) => void (layer === this.#current && this.#figures.learn(output, fate));
    const size = () => (this.viewport.extent.width > 0 ? this.#sizeOf(output) : null);
    layer.figure = new LiveFigure(picture, output, size, this.#figures.draw, told, first?.asked);
    if (first) told(first.fate);
  }

  async #unknown(view: View, ref: DataRef): Promise<unknown.Unknown> {
    const plain = view.output.data["text/plain"];
    return {
      mime: view.mime,
      size: ref.size,
      plain: plain ? new TextDecoder().decode(await fetchData(plain.url)) : null,
      save: () => this.#events.save(view),
    };
  }

  // -- in a frame -----------------------------------------------------------------------------------------------------

  async #drawInFrame(how: Family, view: View, turn: number): Promise<void> {
    const current = this.#current;
    const network = this.#events.network(view.output);
    const updated = how.updates && current?.takes(view, network) ? current : undefined;
    const layer = updated ?? new Layer(view, network);
    layer.view = view;
    if (!updated) {
      layer.element.classList.add("coming");
      this.#stage.append(layer.element);
      this.#next = layer;
    }
    const libraries = librariesOf(view.output, view.mime);
    const taking = layer.frame ?? this.#frames.take(layer.element, libraries, view.output.session, network);
    const [frame, rendering] = await Promise.all([taking, renderingOf(view)]);
    if (turn !== this.#turn) return updated ? undefined : frame.dispose();
    layer.frame = frame;
    layer.name(view.output);
    frame.events = this.#eventsOf(layer, turn);
    frame.watch(true);
    frame.send({ type: "keys", chords: this.#frames.chords });
    frame.send({ type: "sizing", sizing: this.#lens.sizing });
    frame.send({ type: "render", turn, ...rendering, theme: this.#theme, fresh: !updated }, [rendering.bytes]);
  }

  /** @param asked by what number the frame knows what it is to draw */
  #eventsOf(layer: Layer, turn: number, asked = turn) {
    const handlers: { [T in FromFrame["type"]]?: (message: Extract<FromFrame, { type: T }>) => void } = {
      ready: (message) => message.turn === asked && this.#frameReady(layer, turn),
      failed: (message) => message.turn === asked && this.#fail(turn, message.message),
      picture: (message) => this.#heardAside({ view: layer.view, frame: layer.frame! }, message),
      want: (message) => this.#heardAside({ view: layer.view, frame: layer.frame! }, message),
      comms: (message) => this.#heardAside({ view: layer.view, frame: layer.frame! }, message),
      notice: () => this.#hear(layer),
      blocked: () => this.#hear(layer),
      key: ({ chord }) => document.activeElement === layer.frame?.element && this.#events.key(chord),
      snapshot: (message) => this.#heardAside({ view: layer.view, frame: layer.frame! }, message),
      zoom: ({ pixels, x, y }) => layer === this.#current && this.viewport.zoomBy(wheelFactor(pixels, true), this.viewport.fromFrame({ x, y })),
      pan: ({ x, y }) => layer === this.#current && this.viewport.panBy(x, y),
      link: ({ href }) => layer === this.#current && this.#events.link(href),
    };
    return {
      message: (message: FromFrame) => handlers[message.type]?.(message as never),
      stuck: (stuck: boolean) => void (layer === (this.#next ?? this.#current) && (this.stuck = stuck)),
      lost: (reason: string) => this.#lost(layer, reason),
    };
  }

  #frameReady(layer: Layer, turn: number): void {
    if (turn !== this.#turn) return;
    if (layer !== this.#current) this.#arrive(layer);
    this.#set("ready");
    this.#settle();
  }

  /** Tells what the output has said since it was drawn. */
  #hear({ frame }: Layer): void {
    if (frame !== (this.#next ?? this.#current)?.frame) return;
    this.notices = [...(frame?.notices ?? [])];
    this.asked = [...(frame?.asked ?? [])];
  }

  #lost(layer: Layer, reason: string): void {
    if (layer === (this.#next ?? this.#current)) this.#fail(++this.#turn, `It was stopped: ${reason}.`);
  }

  /** What a frame says whether it is looked at or not. */
  #heardAside({ view, frame }: Pick<Scene, "view" | "frame">, message: FromFrame): void {
    if (message.type === "picture") this.#events.picture(view.output, URL.createObjectURL(new Blob([message.bytes], { type: "image/png" })));
    else if (message.type === "comms" && familyOf(view).renderer === "widgets") frame.link(() => this.#events.comms(view.output));
    else if (message.type === "snapshot") this.#taken(frame, message);
    else if (message.type === "want") void this.#frames.provide(frame, { name: message.name as LibraryName }).catch(() => {});
  }

  /** Shows a frame that was out of sight, as soon as it is drawn. False where it could not be moved. */
  #bringOn({ view, frame, turn: asked, drawn }: Scene, turn: number): boolean {
    const layer = new Layer(view);
    layer.frame = frame;
    layer.name(view.output);
    layer.element.classList.add("coming");
    this.#stage.append(layer.element);
    if (!this.#frames.unpark(frame, layer.element)) {
      frame.dispose();
      layer.element.remove();
      return false;
    }
    this.#next = layer;
    frame.events = this.#eventsOf(layer, turn, asked);
    frame.watch(true);
    frame.send({ type: "keys", chords: this.#frames.chords });
    if (drawn) this.#frameReady(layer, turn);
    return true;
  }

  // -- coming and going -----------------------------------------------------------------------------------------------

  #arrive(layer: Layer): void {
    this.#stay();
    this.#next = undefined;
    layer.element.classList.remove("coming");
    const previous = this.#current;
    this.#current = layer;
    this.viewport.show(layer.content);
    if (previous) this.#remove(previous, layer.view);
  }

  /** What is shown leaves after a while, if the view is of another output; counted from the first that was to follow. */
  #leaveInTime(view: View): void {
    if (!this.#current || this.#current.view.output.id === view.output.id) this.#stay();
    else this.#grace ??= setTimeout(() => this.#leave(), GRACE);
  }

  #stay(): void {
    clearTimeout(this.#grace);
    this.#grace = undefined;
  }

  #leave(): void {
    this.#stay();
    if (this.#current) this.#remove(this.#current);
    this.#current = undefined;
    this.viewport.show(null);
  }

  /** Takes a layer out; its frame is kept for a while unless a newer version took its place. */
  #remove(layer: Layer, successor?: View): void {
    const { view, frame, network } = layer;
    const replaced = network !== null || (successor && layer.isOf(successor.output, successor.mime));
    if (frame && !replaced) this.#backstage.keep(view, frame);
    else frame?.dispose();
    layer.end();
  }

  #dropNext(): void {
    const next = this.#next;
    this.#asking?.abort();
    this.#asking = undefined;
    this.#next = undefined;
    next?.frame?.dispose();
    next?.end();
  }

  #fail(turn: number, problem: string): void {
    if (turn !== this.#turn) return;
    this.#dropNext();
    const current = this.#current;
    this.#current = undefined;
    this.viewport.show(null);
    current?.frame?.dispose();
    current?.end();
    this.#stay();
    this.stuck = false;
    this.#set("error", problem);
    this.#settle();
  }

  /** What was being drawn is there, or has failed. */
  #settle(): void {
    this.#flying = undefined;
    if (this.#pending) this.#start(this.#pending);
  }

  #set(state: State, problem = ""): void {
    if (state === "loading") this.notices = this.asked = [];
    if (state === "ready" && this.#current) this.#hear(this.#current);
    this.state = state;
    this.problem = problem;
  }
}
