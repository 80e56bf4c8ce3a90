/**
 * The pane: all of its parts, and what takes several of them. Components only show them.
 *
 * `feed` brings what the hub has, `outputs` keeps it, `stage` shows one of them, and `screen` says what else is open.
 */
import { action, applies, type ActionName } from "./actions.ts";
import { addressOf, base, enter, point, socketUrl } from "./address.ts";
import { neighbours } from "./ahead.ts";
import { Api, type Edits } from "./api.ts";
import { Attention } from "./attention.ts";
import { Choices } from "./choices.svelte.ts";
import { Clipboard } from "./clipboard.ts";
import { Comms } from "./comms.ts";
import { Config } from "./config.svelte.ts";
import { editorUrl } from "./details.ts";
import { Feed } from "./feed.svelte.ts";
import { Figures } from "./figures.svelte.ts";
import { Files } from "./files.ts";
import { Lens } from "./lens.svelte.ts";
import { forgetLooked, keepLooked, looked } from "./looked.ts";
import { Marks } from "./marks.svelte.ts";
import { Network } from "./network.svelte.ts";
import { Outputs } from "./outputs.svelte.ts";
import { Pictures } from "./pictures.svelte.ts";
import type { Presenter, PresenterEvents } from "./presenter.svelte.ts";
import type { OutputRecord } from "./protocol.ts";
import type { Fate } from "./renderers/figure.ts";
import { byRichness, label } from "./renderers/table.ts";
import { Runs } from "./runs.ts";
import type { Frames } from "./sandbox.ts";
import { Screen } from "./screen.svelte.ts";
import { Scrubber } from "./scrubber.svelte.ts";
import { Search, type Found } from "./search.svelte.ts";
import { Settings, type Filter } from "./settings.svelte.ts";
import { Sketches } from "./sketches.ts";
import type { Seen } from "./taking.ts";
import { Toasts } from "./toasts.svelte.ts";
import { parseFragment } from "./token.ts";
import { Trash } from "./trash.ts";
import type { View } from "./view.ts";

/** How many the hub finds at once, the newest first. */
const FOUND = 500;

const FILTERED: Record<Filter, string> = { off: "Plots in their own colours", on: "Plots darkened", follow: "Plots darkened in the dark theme" };

export class Pane {
  readonly #api = new Api(base());
  readonly outputs = new Outputs();
  readonly settings = new Settings();
  readonly config = new Config(this.settings);
  readonly toasts = new Toasts();
  readonly feed: Feed = new Feed(this.#api, this.outputs, this.config, {
    admitted: (hub) => this.#enter(hub),
    begun: (hub) => this.#begin(hub),
    changed: () => this.search.askAgain(),
    reset: (hub) => forgetLooked(hub, this.outputs.project),
    failed: (message) => this.toasts.say(message),
  });
  readonly comms = new Comms({
    url: socketUrl("ws/comms/pane"),
    admit: async () => (this.feed.others ? this.feed.admit() : null), // what a session says is not of one output
    isOver: (session) => !this.feed.others || !!this.feed.sessions.get(session)?.ended,
    speaks: () => this.feed.changes,
  });
  readonly marks = new Marks();
  readonly search = new Search((words, before, signal) => this.#find(words, before, signal), () => this.feed.sessions);
  readonly screen = new Screen(this.outputs, this.marks, this.search);
  readonly lens = new Lens();
  readonly choices = new Choices();
  readonly figures = new Figures(this.#api);
  readonly pictures = new Pictures();
  readonly sketches = new Sketches({
    frames: () => this.frames,
    calm: () => (document.hidden ? 0 : (this.stage?.calm ?? 0)),
    theme: () => this.settings.theme,
    shown: (view) => this.stage?.sketch(view),
    comms: ({ session }) => this.comms.follow(session, false),
    keep: ({ output }, png) => this.pictures.keep(output, URL.createObjectURL(png)),
  });
  readonly scrubber = new Scrubber((id) => this.#api.versions(id));
  readonly runs = new Runs(this.#api, this.outputs);
  readonly network = new Network((id, hosts) => this.#api.network(id, hosts));
  readonly clipboard = new Clipboard(this);
  readonly files = new Files(this.#api, this);
  readonly trash = new Trash(this.#api, this);
  readonly attention = new Attention({
    left: () => this.outputs.leave(),
    back: (long) => this.outputs.comeBack(long, Math.max(this.outputs.looked, this.#looked() ?? 0)),
  });

  /** What shows the output that is looked at: on the stage, or in a comparison. */
  stage = $state.raw<Presenter>();
  mainStage: Presenter | undefined;
  /** What is seen in place of that. */
  overlay = $state.raw<Seen>();
  frames: Frames | undefined;
  /** The path of the project that the pane was opened for. */
  ownProject = $state<string | null>(null);
  /** The output that the address asks for. */
  askedFor = $state<number | null>(null);

  /** The output shown, and the MIME type of it. */
  get view(): View | null {
    const { shown } = this.outputs;
    return shown ? this.choices.viewOf(this.scrubber.seen(shown), this.fate) : null;
  }

  /** What is copied and saved. */
  get seeing(): Seen | undefined {
    return this.overlay ?? this.stage;
  }

  /** What came of drawing the figure shown anew; nothing for anything else, and while it is not known. */
  get fate(): Fate | null {
    const { shown } = this.outputs;
    return shown ? this.figures.fateOf(this.scrubber.seen(shown)) : null;
  }

  /** What will likely be shown next, the likeliest first. */
  get upcoming(): View[] {
    const { order, index, direction } = this.outputs;
    const around = neighbours(index, order.length, direction).map((at) => this.outputs.get(order[at]!));
    return around.flatMap((output) => (output && this.choices.viewOf(this.scrubber.seen(output))) ?? []);
  }

  /** What presenters tell the pane, and ask of it. */
  get presenterEvents(): PresenterEvents {
    return {
      key: (chord) => void this.press([chord]),
      link: (href) => (this.screen.link = href),
      picture: (output, png) => this.pictures.keep(output, png),
      save: (view) => void this.files.save(view),
      network: (output) => this.network.of(output)?.frame ?? null,
      comms: ({ session }) => this.comms.follow(session),
    };
  }

  // -- the tab and its address ----------------------------------------------------------------------------------------

  /** Show what the address asks for, else the newest of the hub. */
  async start(): Promise<void> {
    const fragment = parseFragment(location.hash);
    point(fragment.output);
    this.askedFor = fragment.output;
    this.ownProject = fragment.project ?? this.settings.project;
    this.settings.project = this.ownProject;
    this.outputs.project = this.settings.everything ? null : this.ownProject;
    await this.feed.start(fragment);
  }

  /** The address's fragment became `hash`: a link to another output, or a new token. The address itself may be ours again. */
  followAddress(hash: string): void {
    const fragment = parseFragment(hash);
    if (fragment.token || fragment.code) enter(hash);
    else if (fragment.output !== null && fragment.output !== this.outputs.current) void this.showOutput(fragment.output);
  }

  /** What a reload should show: an output, or `null` for whatever is the newest; nothing as long as nobody knows. */
  get address(): number | null | undefined {
    const { following, current } = this.outputs;
    if (this.feed.phase === "connecting" || (current === null && !following)) return undefined;
    return following ? null : current;
  }

  /** Keeps in the browser what was seen, for when the pane is opened again, or another one is looked at. */
  keepLooked(): void {
    const { project, looked } = this.outputs;
    if (this.feed.hub) keepLooked(this.feed.hub.hub, project, looked);
  }

  /** The tab is seen, or is not any more. */
  seen(seen: boolean): void {
    this.attention.hidden = !seen;
    if (seen) this.feed.awake();
  }

  /** Open the output in a tab of its own, which takes the token from this one. */
  openTab(): void {
    const { shown } = this.outputs;
    if (shown && !window.open(addressOf(shown.id), "_blank")) this.toasts.say("The browser opened no tab: ask again with the keys outside of the output, or allow it to");
  }

  /** Open the file that made the output where its line is, in the user's editor. */
  editSource(): void {
    const source = this.outputs.shown?.source;
    if (source?.file) window.open(editorUrl(this.config.editor, source.file, source.line ?? 1), "_self");
  }

  // -- what the user does ---------------------------------------------------------------------------------------------

  /** Do something, if it can be done now. */
  act(name: ActionName): boolean {
    const wanted = action(name);
    const can = applies(wanted, this);
    if (can) wanted.run(this);
    return can;
  }

  /** Do what a key means. Whether there was something to do. */
  press(chords: readonly string[]): boolean {
    const meant = this.config.keymap.meaning(chords);
    return meant !== undefined && this.act(meant);
  }

  /** Show an output, whether it is known yet or not. */
  async showOutput(id: number): Promise<void> {
    const { outputs } = this;
    try {
      if (!outputs.get(id)) outputs.apply([await this.#api.output(id)]);
      const output = outputs.get(id);
      if (!output) throw new Error(`Output ${id} was removed.`);
      if (outputs.project !== null && output.project !== outputs.project) await this.showEverything(true);
      outputs.select(id);
    } catch (error) {
      this.toasts.say((error as Error).message);
      if (outputs.current === null) outputs.newest();
    }
  }

  /** Speak of everything, or of the pane's own project. */
  async showEverything(everything: boolean): Promise<void> {
    this.settings.everything = everything;
    this.outputs.setProject(everything ? null : this.ownProject);
    await this.feed.list().catch((error: Error) => this.toasts.say(error.message));
  }

  /** Tell what changed in the run of the output shown, else in the newest one. */
  async showChanges(): Promise<void> {
    const { shown } = this.outputs;
    try {
      this.screen.showRuns(shown?.run ? shown.session : ((await this.runs.list())[0]?.id ?? null));
    } catch (error) {
      this.toasts.say((error as Error).message);
    }
  }

  /** Mark what is shown and the one beside it, and go there. */
  markOn(direction: 1 | -1): void {
    const { outputs, marks } = this;
    const from = outputs.listed!;
    outputs.step(direction);
    marks.range(from, outputs.current!, outputs.order);
  }

  /** Look at the version before or after; beyond the first and the last, at what the run before or after showed there. */
  stepVersion(direction: 1 | -1, output = this.outputs.shown): void {
    const { outputs, scrubber } = this;
    scrubber.pause();
    if (!output) return;
    const goesOn = scrubber.isAtEnd(output, direction) && !this.screen.comparing;
    const beyond = goesOn ? outputs.inStack(output, direction) : undefined;
    if (beyond) outputs.select(beyond.id);
    else scrubber.step(output, direction).catch((error: Error) => this.toasts.say(error.message));
  }

  /** Play the versions of an output as long as it is looked at; or pause. */
  playVersions(output = this.outputs.shown): void {
    const { outputs, scrubber } = this;
    if (!output || scrubber.playing) return scrubber.pause();
    const current = () => (this.screen.comparing || outputs.current === output.id ? (outputs.get(output.id) ?? null) : null);
    scrubber.play(current, () => this.stage?.state === "ready").catch((error: Error) => this.toasts.say(error.message));
  }

  /** Show the output as the MIME type that is poorer than this one by a step, or again as the richest; and say which. */
  nextMime(): void {
    const { output, mime } = this.view!;
    const types = byRichness(output.mimetypes);
    const next = types[(types.indexOf(mime) + 1) % types.length]!;
    this.choices.choose(output, next);
    this.toasts.say(`Shown as ${label(next)}`);
  }

  /** Darken plots in another way, and say which. */
  nextFilter(): void {
    this.settings.nextFilter();
    this.toasts.say(FILTERED[this.settings.filter]);
  }

  /** Change what the user may change of an output, and say so in a word if there is one. */
  async edit(output: OutputRecord, edits: Edits, says?: string): Promise<void> {
    await this.toasts.attempt("changed", async () => {
      this.outputs.apply([await this.#api.edit(output.id, edits)]);
      if (says) this.toasts.say(says);
    });
  }

  async togglePin(): Promise<void> {
    const { shown } = this.outputs;
    if (!shown) return;
    const says = shown.pinned ? "No longer pinned" : "Pinned: it stays, whatever the limits of age and size";
    await this.edit(shown, { pinned: !shown.pinned }, says);
  }

  /** Allow the output shown the hosts that it has asked for, and draw it anew. */
  async allowNetwork(output: OutputRecord, hosts: readonly string[]): Promise<void> {
    await this.toasts.attempt("allowed", async () => {
      await this.network.allow(output, hosts);
      this.#renew(output);
    });
  }

  /** Allow an output no network any more, and draw it anew. */
  takeNetworkBack(output: OutputRecord): void {
    this.network.takeBack(output);
    this.#renew(output);
    this.toasts.say("It has no network any more");
  }

  #renew({ id }: OutputRecord): void {
    if (this.screen.comparing) this.screen.compare(null);
    this.mainStage?.renew(id);
  }

  /** The hub has let the pane in. What the address asks for is shown at once, and not the newest before it. */
  #enter(hub: string): void {
    this.network.begin(hub);
    if (this.askedFor !== null) this.outputs.following = false;
  }

  /** The newest outputs are there. */
  async #begin(hub: string): Promise<void> {
    const { outputs } = this;
    outputs.begin(looked(hub, outputs.project));
    if (this.askedFor !== null && outputs.current === null && !outputs.following) await this.showOutput(this.askedFor);
  }

  #looked(): number | null {
    return this.feed.hub && looked(this.feed.hub.hub, this.outputs.project);
  }

  async #find(q: string, before: number | undefined, signal: AbortSignal): Promise<Found> {
    const { outputs } = await this.#api.outputs({ limit: FOUND, project: this.outputs.project, q, before }, signal);
    this.outputs.apply(outputs.filter(({ id }) => !this.outputs.get(id)));
    return { ids: outputs.map(({ id }) => id), more: outputs.length === FOUND };
  }
}
