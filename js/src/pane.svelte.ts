/** The pane's state and what it can do: outputs, sessions, connection, and the user's settings. Components only show it. */
import { action, ACTIONS, applies, keymapOf, type ActionName } from "./actions.ts";
import { neighbours } from "./ahead.ts";
import { Api, fetchData, HubError, type Edits, type HubState, type OutputList, type PaneSettings, type Selection } from "./api.ts";
import { Attention } from "./attention.ts";
import { Connection, type Status } from "./connection.ts";
import { FORMS, written, type Form } from "./copying.ts";
import type { Theme } from "./frame/channel.ts";
import { editorUrl } from "./details.ts";
import { Drawings } from "./drawings.ts";
import { challenge, knows, type Answer } from "./hello.ts";
import { Network } from "./network.svelte.ts";
import { Outputs } from "./outputs.svelte.ts";
import { Pictures } from "./pictures.svelte.ts";
import { chordFrom } from "./keys.ts";
import { Lens } from "./lens.svelte.ts";
import { Marks } from "./marks.svelte.ts";
import type { Presenter, PresenterEvents } from "./presenter.svelte.ts";
import type { Changed, OutputRecord, RunChanges, RunRecord, SessionRecord } from "./protocol.ts";
import { storedMime, type Drawing, type Fate, type Size } from "./renderers/figure.ts";
import { byRichness, family } from "./renderers/table.ts";
import type { Frames } from "./sandbox.ts";
import { Scrubber } from "./scrubber.svelte.ts";
import { Search } from "./search.svelte.ts";
import { Settings } from "./settings.svelte.ts";
import { Sketches } from "./sketches.ts";
import { copy, download, MIME, type Format } from "./taking.ts";
import { answerPanes, askPanes, exchange, formatFragment, keptToken, mayHandOver, parseFragment, type Fragment } from "./token.ts";
import type { View } from "./view.ts";

/** `no-token`: the hub is there, but this tab may not see anything of it. */
export type Phase = Status | "no-token";

export type Dialog = "help" | "palette" | "size" | "rename" | "note" | "trash" | "export" | "runs" | "network";

/** Side by side, one after the other in the same place, or what differs. */
export type Comparison = "side" | "blink" | "difference";

/** Which outputs to put into one file, and how. */
export interface Export {
  scope: "marked" | "listed" | "session";
  format: string;
  /** What is left out otherwise: code, argv, cwd, host. */
  include: readonly string[];
}

export interface Toast {
  text: string;
  undo?: () => void;
}

const FIRST_PAGE = 200;
const PAGE = 1000;
/** How many the hub finds at most, the newest. */
const FOUND = 500;
/** How many restored outputs are asked for one by one; more of them come with the hub's events. */
const FEW = 10;
const TOAST_FOR = 8000;
/** Milliseconds of silence after which a tab that comes back looks whether its connection is alive. */
const SILENCE = 30_000;

export class Pane {
  readonly outputs = new Outputs();
  readonly settings = new Settings();
  readonly pictures = new Pictures();
  readonly lens = new Lens();
  readonly scrubber = new Scrubber((id) => this.#api!.versions(id));
  readonly search = new Search((words, signal) => this.#find(words, signal), () => this.sessions);
  /** What keys mean. */
  keymap = $state.raw(keymapOf());
  readonly marks = new Marks();
  readonly network = new Network((id, hosts) => this.#api!.network(id, hosts));
  readonly attention = new Attention({
    left: () => this.outputs.leave(),
    back: (long) => this.outputs.comeBack(long, Math.max(this.outputs.looked, this.#looked() ?? 0)),
  });
  readonly sketches = new Sketches(
    () => this.frames,
    () => this.stage?.state === "ready" && !document.hidden,
    ({ output }, png) => this.pictures.keep(output, URL.createObjectURL(png)),
  );
  /** What shows the output that is looked at: on the stage, or in a comparison. */
  stage = $state.raw<Presenter>();
  mainStage: Presenter | undefined;
  frames: Frames | undefined;
  /** Whether all outputs are shown at once, small. */
  gallery = $state(false);
  /** How the marked outputs are compared, if they are. */
  comparing = $state<Comparison | null>(null);
  phase = $state<Phase>("connecting");
  hub = $state.raw<HubState | null>(null);
  sessions = $state.raw<ReadonlyMap<string, SessionRecord>>(new Map());
  /** What the hub has to say: that its store is full, say. */
  notices = $state.raw<readonly string[]>([]);
  toast = $state.raw<Toast | null>(null);
  /** An address in an output that was clicked and waits for the user's word. */
  link = $state<string | null>(null);
  /** The dialog that is open. */
  dialog = $state<Dialog | null>(null);
  /** The run of which the dialog of runs tells what changed; `null`: it lists the runs. */
  run = $state<string | null>(null);
  /** Whether nothing but the output is shown. */
  presenting = $state(false);
  /** Whether the details are shown beside the stage. */
  detailing = $state(false);
  /** The path of the project that the pane was opened for. */
  ownProject = $state<string | null>(null);
  /** The output that the address asks for. */
  askedFor = $state<number | null>(null);

  /** The MIME types that the user chose instead of the richest, by output. */
  #chosen = $state.raw<ReadonlyMap<number, string>>(new Map());
  /** What came of drawing a figure anew, the last time. */
  #drawn = $state.raw<{ output: number; version: number; fate: Fate } | null>(null);
  /** Whether a comparison was begun in the dialog of runs, and ends there. */
  #fromRuns = false;
  /** What was removed here, the last at the end; and whether the newest was followed then. */
  readonly #removed: { ids: Promise<number[]>; following: boolean }[] = [];
  readonly #style = new CSSStyleSheet();
  /** What is wrong in the config file. */
  #problems: string[] = [];
  #editor = "vscode://file/{file}:{line}";
  readonly #drawings = new Drawings();
  readonly #keepers = new Set<string>();
  #api: Api | undefined;
  #connection: Connection | undefined;
  #cursor = 0;
  #heard = 0;
  #loaded: Promise<void> = Promise.resolve();
  #undoing = Promise.resolve();
  #toastTimer: ReturnType<typeof setTimeout> | undefined;
  #stopAnswering: () => void = () => {};
  readonly #base = location.href.replace(/[?#].*$/, "");

  /** The output shown, and the MIME type of it. */
  get view(): View | null {
    const output = this.outputs.shown;
    return output ? this.viewOf(this.scrubber.seen(output), this.fate) : null;
  }

  /** How an output is shown: the MIME type that the user chose, else the richest. */
  viewOf(output: OutputRecord, fate: Fate | null = null): View | null {
    const picture = fate?.live === false ? storedMime(output) : "image/png";
    const richest = output.figure && isComing(output) ? picture : byRichness(output.mimetypes)[0];
    const chosen = this.#chosen.get(output.id);
    const mime = chosen && output.mimetypes.includes(chosen) ? chosen : richest;
    return mime ? { output, mime } : null;
  }

  /** What came of drawing the figure shown anew; nothing for anything else, and while it is not known. */
  get fate(): Fate | null {
    const { shown } = this.outputs;
    const known = shown?.figure && this.#drawn?.output === shown.id && this.#drawn.version === this.scrubber.seen(shown).version;
    return known ? this.#drawn!.fate : null;
  }

  // -- beginning ------------------------------------------------------------------------------------------------------

  /** Connect with the token of the address, the tab or another tab. */
  async start(): Promise<void> {
    const fragment = parseFragment(location.hash);
    this.askedFor = fragment.output;
    this.#wipe(fragment);
    try {
      const answer = await challenge(location);
      const token = await this.#findToken(answer, fragment);
      if (token) this.#connect(token, answer, fragment);
      else this.phase = "no-token";
    } catch {
      this.phase = "reconnecting";
      setTimeout(() => void this.start(), 1000);
    }
  }

  /** The address's fragment became `hash`: a link to another output, or a new token. The address itself may be ours again. */
  followAddress(hash: string): void {
    const fragment = parseFragment(hash);
    if (fragment.token || fragment.code) this.#reload(hash);
    else if (fragment.output !== null && fragment.output !== this.outputs.current) void this.showOutput(fragment.output);
  }

  #reload(hash: string): void {
    history.replaceState(null, "", this.#base + hash);
    location.reload();
  }

  /** The tab is seen, or is not any more. */
  seen(seen: boolean): void {
    this.attention.hidden = !seen;
    if (seen) this.awake();
  }

  /** The tab or the network is back. */
  awake(): void {
    this.#connection?.hurry();
    if (this.phase === "connected" && Date.now() - this.#heard > SILENCE) void this.#probe();
  }

  async #findToken(answer: Answer, fragment: Fragment): Promise<string | null> {
    const { hub } = answer.hello;
    const offered = fragment.code ? await exchange(fragment.code, this.#base).catch(() => null) : fragment.token;
    const own = [offered, keptToken.get(hub)].find((each) => each && knows(answer, each));
    if (own) return own;
    const others = mayHandOver(location) ? await askPanes(hub) : null;
    return others && knows(answer, others) ? others : null;
  }

  #connect(token: string, answer: Answer, fragment: Fragment): void {
    const { hub } = answer.hello;
    keptToken.set(hub, token);
    this.network.begin(hub);
    this.#api = new Api(this.#base, token);
    this.#choosePage(fragment);
    this.#loaded = this.#load(fragment.output);
    if (mayHandOver(location)) this.#stopAnswering = answerPanes(hub, token, location);
    this.#connection = new Connection({
      url: new URL("ws/pane", this.#base.replace(/^http/, "ws")).href,
      token,
      verify: () => this.#verify(hub, token),
      since: () => this.#resume(),
      changed: (changed) => this.#changed(changed),
      notice: (message) => this.#notice(message),
      status: (status) => this.#setStatus(status),
    });
    this.#connection.start();
  }

  #choosePage(fragment: Fragment): void {
    this.ownProject = fragment.project ?? this.settings.project;
    this.settings.project = this.ownProject;
    this.outputs.project = this.settings.everything ? null : this.ownProject;
  }

  async #verify(hub: string, token: string): Promise<boolean> {
    const answer = await challenge(location);
    return answer.hello.hub === hub && knows(answer, token);
  }

  #setStatus(status: Status): void {
    this.phase = status === "refused" ? "no-token" : status;
    if (status === "refused") this.#stopAnswering();
    if (status === "connecting" || status === "connected") this.#heard = Date.now();
  }

  async #probe(): Promise<void> {
    const alive = await Promise.race([this.#api!.state(), new Promise<null>((resolve) => setTimeout(resolve, 3000, null))]).catch(() => null);
    if (alive === null) this.#connection?.renew();
    else this.#heard = Date.now();
  }

  // -- outputs --------------------------------------------------------------------------------------------------------

  /** Fetch the newest page, so that it is painted at once; everything else comes after it. */
  async #load(wanted: number | null): Promise<void> {
    const api = this.#api!;
    const { outputs } = this;
    if (wanted !== null) outputs.following = false;
    const [state, list] = await Promise.all([api.state(), api.outputs({ limit: FIRST_PAGE, project: outputs.project })]);
    this.hub = state;
    this.notices = [...(state.notices ?? []), ...this.#problems];
    this.#cursor = list.event;
    outputs.apply(list.outputs);
    outputs.begin(this.#looked());
    if (wanted !== null) await this.showOutput(wanted);
    void api.settings().then((settings) => this.#adopt(settings), () => {});
    void api.sessions().then(({ sessions }) => this.#takeSessions(sessions), () => {});
    void this.#backfill(list.outputs[0]?.id, list.outputs.length < list.total);
  }

  /** Do as the user's config file says. */
  #adopt({ keys, editor, stylesheet, problems, ...suggested }: PaneSettings): void {
    const names: ReadonlySet<string> = new Set(ACTIONS.map(({ name }) => name));
    const unknown = Object.keys(keys).filter((name) => !names.has(name));
    this.keymap = keymapOf(Object.fromEntries(Object.entries(keys).map(([name, each]) => [name, each.map(chordFrom)])));
    this.settings.suggest(suggested);
    this.#editor = editor;
    this.#style.replaceSync(stylesheet ?? "");
    document.adoptedStyleSheets = [this.#style];
    this.#problems = [...problems, ...unknown.map((name) => `Pane.keys: there is nothing called ${name} to do`)];
    for (const each of this.#problems) this.#notice(each);
  }

  /** Fetch the older ones, page by page, between the frames of the screen. */
  async #backfill(oldest: number | undefined, more: boolean): Promise<void> {
    const { project } = this.outputs;
    let before = oldest;
    try {
      while (more && before !== undefined) {
        await idle();
        const list = await this.#api!.outputs({ limit: PAGE, before, project });
        if (this.outputs.project !== project) return;
        this.outputs.apply(list.outputs);
        before = list.outputs[0]?.id;
        more = list.outputs.length === PAGE;
      }
      this.outputs.complete = true;
    } catch (error) {
      this.say((error as Error).message);
    }
  }

  /** Where the hub goes on. After a reconnection: from the last event seen, or anew where the hub's own store is. */
  async #resume(): Promise<number> {
    await this.#loaded.catch(() => (this.#loaded = this.#load(null)));
    const state = await this.#api!.state();
    if (state.event < this.#cursor) {
      this.outputs.reset();
      localStorage.removeItem(this.#lookedKey);
      await (this.#loaded = this.#load(null));
    }
    this.hub = state;
    this.notices = [...(state.notices ?? []), ...this.#problems];
    return this.#cursor;
  }

  #changed({ event, outputs, sessions, reset }: Changed): void {
    this.#heard = Date.now();
    if (reset) {
      this.#cursor = Number.MAX_SAFE_INTEGER; // ahead of any event, so that resuming loads everything anew
      this.#connection?.renew();
      return;
    }
    this.#cursor = Math.max(this.#cursor, event);
    this.outputs.apply(outputs ?? []);
    this.#takeSessions(sessions ?? []);
  }

  #takeSessions(sessions: SessionRecord[]): void {
    if (sessions.length > 0) this.sessions = new Map([...this.sessions, ...sessions.map((each) => [each.id, each] as const)]);
  }

  #notice(message: string): void {
    if (!this.notices.includes(message)) this.notices = [...this.notices, message];
  }

  dismiss(notice: string): void {
    this.notices = this.notices.filter((each) => each !== notice);
  }

  async showOutput(id: number): Promise<void> {
    try {
      if (!this.outputs.get(id)) this.outputs.apply([await this.#api!.output(id)]);
      const output = this.outputs.get(id);
      if (!output) throw new Error(`Output ${id} was removed.`);
      if (this.outputs.project !== null && output.project !== this.outputs.project) await this.showEverything(true);
      this.outputs.select(id);
    } catch (error) {
      this.say((error as Error).message);
      if (this.outputs.current === null) this.outputs.newest();
    }
  }

  // -- what the user does ---------------------------------------------------------------------------------------------

  /** Speak of everything, or of the pane's own project. */
  async showEverything(everything: boolean): Promise<void> {
    this.settings.everything = everything;
    this.outputs.setProject(everything ? null : this.ownProject);
    try {
      const list = await this.#api!.outputs({ limit: FIRST_PAGE, project: this.outputs.project });
      this.outputs.apply(list.outputs);
      void this.#backfill(list.outputs[0]?.id, list.outputs.length < list.total);
    } catch (error) {
      this.say((error as Error).message);
    }
  }

  /** Do something, if it can be done now. */
  act(name: ActionName): boolean {
    const wanted = action(name);
    const can = applies(wanted, this);
    if (can) wanted.run(this);
    return can;
  }

  /** Do what a key means. Whether there was something to do. */
  press(chords: readonly string[]): boolean {
    const meant = this.keymap.meaning(chords);
    return meant !== undefined && this.act(meant);
  }

  /** Close what is open, and give up the focus, which a frame may have, so that keys mean what the pane says. */
  leave(): void {
    if (this.presenting) this.present(false);
    else if (this.comparing) this.compare(null);
    else if (this.gallery) this.gallery = false;
    else if (this.marks.ids.length > 0) this.marks.clear();
    else if (this.detailing && document.activeElement === document.body) this.detailing = false;
    else if (this.search.open && document.activeElement === document.body) this.search.end();
    (document.activeElement as HTMLElement | null)?.blur();
    window.focus();
  }

  /** Show the output alone on the whole screen, or as before. Where the browser has no full screen, the window has to do. */
  present(on: boolean): void {
    this.presenting = on;
    if (on) void document.documentElement.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) void document.exitFullscreen();
  }

  /** Compare the marked outputs, or what is shown with the one before it; `null` ends it. */
  compare(how: Comparison | null): void {
    const { order, index } = this.outputs;
    if (how && this.marks.ids.length < 2) this.marks.ids = order.slice(Math.max(0, index - 1), Math.max(2, index + 1));
    this.gallery = false;
    this.comparing = how && this.marks.ids.length > 1 ? how : null;
    if (this.comparing) return;
    this.marks.clear();
    if (this.#fromRuns) this.dialog = "runs";
    this.#fromRuns = false;
  }

  // -- runs of scripts ------------------------------------------------------------------------------------------------

  showRuns(run: string | null): void {
    this.run = run;
    this.dialog = "runs";
  }

  /** Tell what changed in the run of the output shown, else in the newest one. */
  async showChanges(): Promise<void> {
    const { shown } = this.outputs;
    try {
      this.showRuns(shown?.run ? shown.session : ((await this.runs())[0]?.id ?? null));
    } catch (error) {
      this.say((error as Error).message);
    }
  }

  /** The runs of this project's scripts, the newest first. */
  runs = async (): Promise<RunRecord[]> => (await this.#api!.runs(this.outputs.project)).runs;

  /** What a run has shown, compared with another one, or the one before; with the outputs of both. */
  changes = async (run: string, other: string | null): Promise<RunChanges> => {
    const changes = await this.#api!.changes(run, other);
    this.outputs.apply(changes.outputs.filter(({ id, event }) => event > (this.outputs.get(id)?.event ?? -1)));
    const missing = changes.stacks.flatMap(({ before }) => (before !== null && !this.outputs.get(before) ? [before] : []));
    const found = await Promise.all(missing.map((id) => this.#api!.output(id).catch(() => null)));
    this.outputs.apply(found.filter((each) => each !== null));
    return changes;
  };

  /** Compare an output with the one in the run before; then the dialog comes back. */
  compareRuns(before: number, after: number, how: Comparison): void {
    this.dialog = null;
    this.marks.ids = [before, after];
    this.compare(how);
    this.#fromRuns = true;
  }

  toggleGallery(): void {
    if (this.comparing) this.compare(null);
    this.gallery = !this.gallery;
  }

  /** Mark what is shown and the one beside it, and go there. */
  markOn(direction: 1 | -1): void {
    const { outputs, marks } = this;
    const from = outputs.current!;
    outputs.step(direction);
    marks.range(from, outputs.current!, outputs.order);
  }

  /** Darken plots in another way, and say which. */
  nextFilter(): void {
    this.settings.nextFilter();
    this.say({ off: "Plots in their own colours", on: "Plots darkened", follow: "Plots darkened in the dark theme" }[this.settings.filter]);
  }

  async #find(q: string, signal: AbortSignal): Promise<readonly number[]> {
    const { outputs } = await this.#api!.outputs({ limit: FOUND, project: this.outputs.project, q }, signal);
    this.outputs.apply(outputs);
    return outputs.map(({ id }) => id);
  }

  /** List everything again; what was found stays on the stage. */
  endSearch(): void {
    this.search.end();
    this.leave();
  }

  /** Open the file that made the output where its line is, in the editor of the settings. */
  editSource(): void {
    const source = this.outputs.shown?.source;
    if (source?.file) window.open(editorUrl(this.#editor, source.file, source.line ?? 1), "_self");
  }

  /** Show the output in a tab of its own, which takes the token from this one. */
  openTab(): void {
    const { shown } = this.outputs;
    if (shown) window.open(`${this.#base}${formatFragment(shown.id)}`, "_blank");
  }

  /** Allow the output shown the hosts that it has asked for, and draw it anew. */
  async allowNetwork(output: OutputRecord, hosts: readonly string[]): Promise<void> {
    try {
      await this.network.allow(output, hosts);
      this.#renew(output);
    } catch (error) {
      this.say(`Not allowed: ${(error as Error).message}`);
    }
  }

  /** Allow an output no network any more, and draw it anew. */
  takeNetworkBack(output: OutputRecord): void {
    this.network.takeBack(output);
    this.#renew(output);
    this.say("It has no network any more");
  }

  #renew({ id }: OutputRecord): void {
    if (this.comparing) this.compare(null);
    this.mainStage?.renew(id);
  }

  /** Change what the user may change of an output. */
  async edit(output: OutputRecord, edits: Edits): Promise<void> {
    try {
      this.outputs.apply([await this.#api!.edit(output.id, edits)]);
    } catch (error) {
      this.say(`Not changed: ${(error as Error).message}`);
    }
  }

  async togglePin(): Promise<void> {
    const output = this.outputs.shown;
    if (!output) return;
    await this.edit(output, { pinned: !output.pinned });
    this.say(output.pinned ? "No longer pinned" : "Pinned: it stays, whatever the limits of age and size");
  }

  /** What presenters tell the pane, and ask of it. */
  get presenterEvents(): PresenterEvents {
    return {
      key: (chord) => void this.press([chord]),
      link: (href) => (this.link = href),
      picture: (output, png) => this.pictures.keep(output, png),
      save: (view) => void this.save(view),
      draw: this.draw,
      render: this.render,
      draws: this.draws,
      drawing: this.drawing,
      network: (output) => this.network.of(output)?.frame ?? null,
      drawn: this.drawn,
    };
  }

  /** Draws a figure for the stage. */
  draw = async (output: OutputRecord, size: Size, signal: AbortSignal): Promise<Drawing> => {
    const known = this.drawing(output, size);
    if (known) return known;
    const drawing = await this.#api!.drawing(output, size, signal);
    if (drawing.live) {
      this.#keepers.add(output.figure!.keeper);
      this.#drawings.keep(output, size, drawing);
    }
    return drawing;
  };

  /** What was drawn of a figure in that size, if it is still there. */
  drawing = (output: OutputRecord, size: Size): Drawing | undefined => this.#drawings.get(output, size);

  /** Whether a figure's keeper has drawn for this pane: so it runs, and can be asked before a picture is stored. */
  draws = (output: OutputRecord): boolean => this.#keepers.has(output.figure!.keeper);

  /** Learn what came of drawing a figure. */
  drawn = (output: OutputRecord, fate: Fate): void => void (this.#drawn = { output: output.id, version: output.version, fate });

  /** What will likely be shown next, the likeliest first. */
  get upcoming(): View[] {
    const { order, index, direction } = this.outputs;
    const around = neighbours(index, order.length, direction).map((at) => this.outputs.get(order[at]!));
    return around.flatMap((output) => (output && this.viewOf(this.scrubber.seen(output))) ?? []);
  }

  /** Look at the version before or after; beyond the first and the last, at what the run before or after showed there. */
  stepVersion(direction: 1 | -1): void {
    const { shown } = this.outputs;
    this.scrubber.pause();
    if (!shown) return;
    const at = this.scrubber.seen(shown).version;
    const there = (direction < 0 ? at <= this.scrubber.versions(shown)[0]! : at >= shown.version) ? this.outputs.inStack(shown, direction) : undefined;
    if (there) this.outputs.select(there.id);
    else this.scrubber.step(shown, direction).catch((error: Error) => this.say(error.message));
  }

  playVersions(): void {
    const { scrubber } = this;
    if (scrubber.playing) return scrubber.pause();
    scrubber.play(() => this.outputs.shown ?? null, () => this.stage?.state === "ready").catch((error: Error) => this.say(error.message));
  }

  choose(mime: string): void {
    const { shown } = this.outputs;
    if (shown) this.#chosen = new Map(this.#chosen).set(shown.id, mime);
  }

  /** Remove the marked outputs, or the one shown; they lie in the hub's trash and can come back. */
  async remove(): Promise<void> {
    const marked = this.marks.ids.flatMap((id) => this.outputs.get(id) ?? []).flatMap((each) => this.outputs.withCovered(each));
    this.marks.clear();
    if (marked.length > 0) return this.#remove({ ids: marked.map(({ id }) => id) }, marked);
    const output = this.outputs.shown;
    if (output) await this.removeOne(output);
  }

  /** Remove one output, whether it is shown or not, and what earlier runs showed in its place. */
  removeOne = (output: OutputRecord): Promise<void> => {
    const all = this.outputs.withCovered(output);
    const runs = all.length > 1 ? ` of ${all.length} runs` : "";
    return this.#remove({ ids: all.map(({ id }) => id) }, all, `Removed ${output.title ?? `output ${output.id}`}${runs}`);
  };

  /** Remove what is listed, but for what is pinned. */
  async clear(): Promise<void> {
    const { order, project, inScope } = this.outputs;
    const { active } = this.search;
    const all = active ? order.flatMap((id) => this.outputs.get(id) ?? []) : inScope;
    const going = all.filter(({ pinned }) => !pinned);
    await this.#remove(active ? { ids: going.map(({ id }) => id) } : { project }, going);
  }

  /** Remove what the session of the output shown has shown, but for what is pinned. */
  async clearSession(): Promise<void> {
    const { shown } = this.outputs;
    if (!shown) return;
    const listed = this.outputs.inScope.filter(({ session, pinned }) => session === shown.session && !pinned);
    await this.#remove({ session: shown.session }, listed);
  }

  async #remove(which: Selection, listed: readonly OutputRecord[], says?: string): Promise<void> {
    const { following } = this.outputs;
    this.marks.keep((id) => !listed.some((each) => each.id === id));
    this.outputs.apply(listed.map((each) => ({ ...each, removed: new Date().toISOString() })));
    const removing = this.#api!.clear(which).then(({ removed }) => removed);
    this.#removed.push({ ids: removing.catch(() => []), following });
    try {
      const removed = await removing;
      this.say(says ?? `Removed ${removed.length} outputs`, () => void this.undoRemoval());
    } catch (error) {
      this.outputs.apply(listed);
      this.say(`Not removed: ${(error as Error).message}`);
    }
  }

  /** Bring back what was removed last, and after that what was removed before it: one asked for meanwhile waits. */
  undoRemoval(): Promise<void> {
    return (this.#undoing = this.#undoing.then(() => this.#undo()).catch((error: Error) => this.say(error.message)));
  }

  async #undo(): Promise<void> {
    const last = this.#removed.pop();
    if (!last) return this.say("There is nothing to undo");
    const ids = await last.ids;
    this.toast = null;
    await this.restore(ids);
    const id = ids.at(-1);
    if (id !== undefined && !(last.following && id === this.outputs.order.at(-1))) await this.showOutput(id);
  }

  /** Take outputs out of the trash. */
  async restore(ids: readonly number[]): Promise<void> {
    try {
      const { restored } = await this.#api!.restore(ids);
      if (restored.length <= FEW) this.outputs.apply(await Promise.all(restored.map((id) => this.#api!.output(id))));
    } catch (error) {
      this.say(`Not restored: ${(error as Error).message}`);
    }
  }

  /** The newest of what lies in the trash, and how much the hub holds. */
  async trash(): Promise<OutputList> {
    const [state, list] = await Promise.all([this.#api!.state(), this.#api!.outputs({ limit: FIRST_PAGE, project: this.outputs.project, removed: true })]);
    this.hub = state;
    return list;
  }

  /** Delete outputs of the trash for good. */
  async purge(ids: readonly number[]): Promise<void> {
    await this.#purge({ ids, removed: true });
  }

  async emptyTrash(): Promise<void> {
    await this.#purge({ project: this.outputs.project, removed: true });
  }

  async #purge(which: Selection): Promise<void> {
    try {
      const { purged } = await this.#api!.purge(which);
      this.say(purged.length === 1 ? "Deleted for good" : `Deleted ${purged.length} outputs for good`);
    } catch (error) {
      this.say(`Not deleted: ${(error as Error).message}`);
    }
  }

  /** Give the bytes of a MIME type to the user as a file. */
  async save({ output, mime }: View): Promise<void> {
    const ref = output.data[mime];
    if (!ref) return;
    try {
      download(new Blob([await fetchData(ref.url)]), fileName(output, mime));
    } catch (error) {
      this.say((error as HubError).message);
    }
  }

  /** Draws a figure to be taken away. */
  render = (output: OutputRecord, format: Format, size: Size): Promise<Blob> => {
    const known = format === "png" ? this.drawing(output, size)?.blob : undefined;
    return known ? Promise.resolve(known) : this.#api!.rendering(output, MIME[format], size);
  };

  /** A figure in another size and format. */
  renderAs = (output: OutputRecord, mime: string, size: Size): Promise<Blob> => this.#api!.rendering(output, mime, size);

  /** Save a figure in another size and format. */
  async saveFigure(output: OutputRecord, mime: string, size: Size): Promise<void> {
    try {
      download(await this.renderAs(output, mime, size), fileName(output, mime));
    } catch (error) {
      this.say(`Not saved: ${(error as Error).message}`);
    }
  }

  /**
   * Save several outputs as one file.
   *
   * @param progressed told the bytes that have come, and about how many there are
   */
  async exportOutputs({ scope, format, include }: Export, progressed: (done: number, total: number) => void): Promise<void> {
    const { order, project, shown } = this.outputs;
    const everything = scope === "listed" && !this.search.active;
    const which: Record<string, string> =
      scope === "session" ? { session: shown?.session ?? "" } : everything ? (project === null ? {} : { project }) : { ids: (scope === "marked" ? this.marks.ids : order).join() };
    try {
      const { content, name } = await this.#api!.export({ ...which, format, include: include.join() }, progressed);
      download(content, name);
    } catch (error) {
      this.say(`Not exported: ${(error as Error).message}`);
    }
  }

  /** Save what is shown, as it is seen; what is stored in that format where there is no picture of it. */
  async savePicture(format: Format): Promise<void> {
    const { view } = this;
    if (!view) return;
    try {
      download(await this.stage!.snapshot(format), fileName(view.output, MIME[format]));
    } catch (error) {
      if (view.output.data[MIME[format]]) await this.save({ output: view.output, mime: MIME[format] });
      else this.say(`Not saved: ${(error as Error).message}`);
    }
  }

  /** Copy what is shown as a picture, as it is seen; of a text, the text. */
  async copyPicture(): Promise<void> {
    const { view } = this;
    if (!view) return;
    this.leave(); // browsers copy nothing for a page whose frame has the focus
    const isText = view.mime === "text/plain";
    try {
      if (isText) await copy({ "text/plain": stored(view) });
      else await copy({ [MIME.png]: this.stage!.snapshot("png") });
      this.say(isText ? "Copied the text" : "Copied the picture");
    } catch (error) {
      this.say(`Not copied: ${(error as Error).message}`);
    }
  }

  /**
   * Copy what is shown, or what is given, as a text in one of the forms. HTML can be pasted as what it shows, too.
   *
   * @param content a picture of what is shown
   */
  async copyAs(form: Form, content?: Promise<Blob>): Promise<void> {
    const { view } = this;
    if (!view) return;
    this.leave();
    const text = (content ?? this.#taken(view)).then((taken) => written(form, taken, view.output.title ?? `Output ${view.output.id}`));
    const as = (type: string) => text.then((each) => new Blob([each], { type }));
    try {
      await copy({ "text/plain": as("text/plain"), ...(form === "html" && { "text/html": as("text/html") }) });
      this.say(`Copied as ${FORMS[form]}`);
    } catch (error) {
      this.say(`Not copied: ${(await text.then(() => error, (reason: unknown) => reason) as Error).message}`);
    }
  }

  /** What is shown: as it is stored if that is a text, or a picture that can be read as one; else as it is seen. */
  #taken(view: View): Promise<Blob> {
    return isDrawn(view) ? this.stage!.snapshot("png").catch(() => stored(view)) : stored(view);
  }

  /** Copy a text, and say what it was. */
  async copyText(text: string, what: string): Promise<void> {
    this.leave();
    try {
      await copy({ "text/plain": Promise.resolve(new Blob([text], { type: "text/plain" })) });
      this.say(`Copied ${what}`);
    } catch (error) {
      this.say(`Not copied: ${(error as Error).message}`);
    }
  }

  say(text: string, undo?: () => void): void {
    clearTimeout(this.#toastTimer);
    this.toast = undo ? { text, undo } : { text };
    this.#toastTimer = setTimeout(() => (this.toast = null), TOAST_FOR);
  }

  undo(): void {
    this.toast?.undo?.();
    this.toast = null;
  }

  /** Writes into the address bar what a reload should show: the output, if it is not simply the newest. */
  keepAddress(): void {
    const { following, current } = this.outputs;
    if (this.phase === "connecting" || (current === null && !following)) return;
    const hash = formatFragment(following ? null : current);
    if (hash !== location.hash) history.replaceState(null, "", this.#base + hash);
  }

  /** Keeps in the browser what was seen, for when the pane is opened again, or another one is looked at. */
  keepLooked(): void {
    const { looked } = this.outputs;
    if (this.hub && looked > (this.#looked() ?? 0)) localStorage.setItem(this.#lookedKey, String(looked));
  }

  /** The newest output that was seen in any pane of this browser. */
  #looked(): number | null {
    const kept = localStorage.getItem(this.#lookedKey);
    return kept === null ? null : Number(kept) || 0;
  }

  get #lookedKey(): string {
    return `ipyweb.looked ${this.hub?.hub ?? ""} ${this.outputs.project ?? ""}`;
  }

  #wipe({ output }: Fragment): void {
    history.replaceState(null, "", this.#base + formatFragment(output));
  }

  get theme(): Theme {
    return this.settings.theme;
  }
}

/** What the hub has of a view. */
const stored = async ({ output, mime }: View): Promise<Blob> => new Blob([await fetchData(output.data[mime]!.url)], { type: mime });

/** Whether it is seen in another way than it is stored: a figure in its size, a plot drawn from its JSON. */
const isDrawn = ({ output, mime }: View): boolean => (!!output.figure && mime === MIME.png) || family(mime).libraries.some((each) => each === "plotly" || each === "vega");

const EXTENSIONS: Record<string, string> = {
  "text/plain": "txt", "text/html": "html", "text/markdown": "md", "text/latex": "tex", "image/jpeg": "jpg",
  "image/svg+xml": "svg", "application/javascript": "js",
};

/** A file name from a title that anybody may have made up: letters, digits and little else. */
export function fileName(output: OutputRecord, mime: string): string {
  const stem = (output.title ?? "").replace(/[^\p{L}\p{N} ._-]+/gu, " ").replace(/^[ .]+|[ .]+$/g, "").slice(0, 80);
  const extension = EXTENSIONS[mime] ?? (/json$/.test(mime) ? "json" : /^[a-z]+\/([a-z0-9]{2,8})$/.exec(mime)?.[1] ?? "bin");
  return `${stem || `output-${output.id}`}.${extension}`;
}

/** Milliseconds for which the picture of a figure is waited for; after that its text has to do. */
const PATIENCE = 60_000;

/** Whether a figure's picture is there or will be soon. */
function isComing({ figure, mimetypes, updated }: OutputRecord): boolean {
  return mimetypes.includes("image/png") || (!figure?.failed && Date.now() - Date.parse(updated) < PATIENCE);
}

function idle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}
