/**
 * What comes from the hub: the newest outputs at once, the older ones page by page, and then every change. After a break
 * it goes on where it was, or begins anew where the hub's store is another one.
 */
import { socketUrl } from "./address.ts";
import type { Api, HubState, OutputList } from "./api.ts";
import type { Config } from "./config.svelte.ts";
import { Connection, type Status } from "./connection.ts";
import { challenge, isShared, knows } from "./hello.ts";
import type { Outputs } from "./outputs.svelte.ts";
import type { Changed, SessionRecord } from "./protocol.ts";
import { answerPanes, broughtToken, findToken, keptToken, mayHandOver, type Fragment } from "./token.ts";

/** `no-token`: the hub is there, but this tab may not see anything of it. */
export type Phase = Status | "no-token";

export interface FeedEvents {
  /** The hub has let the pane in; nothing was asked of it yet. */
  admitted(hub: string): void;
  /** The newest outputs are there. */
  begun(hub: string): Promise<void>;
  /** Outputs have come, or changed. */
  changed(): void;
  /** Ids begin anew. */
  reset(hub: string): void;
  failed(message: string): void;
}

/** How many outputs the first page has, and the others. */
export const FIRST_PAGE = 200;
const PAGE = 1000;
/** Milliseconds for what is seen first, until older outputs are asked for. */
const FIRST_SIGHT = 500;
/** Milliseconds between pages, for the frames of the screen. */
const BREATH = 50;
/** Milliseconds until a hub that did not answer is asked again. */
const RETRY = 1000;
/** Milliseconds of silence after which a tab that comes back looks whether its connection is alive. */
const SILENCE = 30_000;
/** Milliseconds for which what a break has brought is told. */
const TOLD = 15_000;
/** Milliseconds for a sign of life. */
const PATIENCE = 3000;

export class Feed {
  phase = $state<Phase>("connecting");
  hub = $state.raw<HubState | null>(null);
  sessions = $state.raw<ReadonlyMap<string, SessionRecord>>(new Map());
  /** Whether the pane's link was given away by its hub's user. */
  shared = $state(false);
  /** What a break has brought: the hub was started anew, or its store is another one. Told for a while. */
  broke = $state<"restarted" | "replaced" | null>(null);
  /** What the hub has to say: that its store is full, say. */
  notices = $state.raw<readonly string[]>([]);

  readonly #api: Api;
  readonly #outputs: Outputs;
  readonly #config: Config;
  readonly #events: FeedEvents;
  #connection: Connection | undefined;
  /** The last event known. */
  #cursor = 0;
  /** When the hub was last heard. */
  #heard = 0;
  #loaded: Promise<void> = Promise.resolve();
  /** Whether what was loaded is the hub's as it is: it need not be asked again. */
  #fresh = false;
  #telling: ReturnType<typeof setTimeout> | undefined;
  #stopAnswering: () => void = () => {};
  /** Whether the hub is the one that let the pane in, and knows its token. Rejects when nothing answers. */
  #verify: () => Promise<boolean> = () => Promise.resolve(false);

  constructor(api: Api, outputs: Outputs, config: Config, events: FeedEvents) {
    this.#api = api;
    this.#outputs = outputs;
    this.#config = config;
    this.#events = events;
  }

  /** Connect with the token of the address, the tab or another tab. */
  async start(fragment: Fragment): Promise<void> {
    if (fragment.token) broughtToken.set(fragment.token);
    try {
      const answer = await challenge(location);
      const token = await findToken(answer, fragment, location);
      broughtToken.forget();
      this.shared = isShared(token ?? fragment.token ?? keptToken.get(answer.hello.hub) ?? "");
      if (token) this.#connect(answer.hello.hub, token);
      else this.phase = "no-token";
    } catch {
      this.phase = "reconnecting";
      setTimeout(() => void this.start(fragment), RETRY);
    }
  }

  /** The tab or the network is back. */
  awake(): void {
    this.#connection?.hurry();
    if (this.phase === "connected" && Date.now() - this.#heard > SILENCE) void this.#probe();
  }

  /** Whether outputs may be changed: a link may be for looking only. */
  get changes(): boolean {
    return this.hub?.scope !== "viewer";
  }

  /** Whether there may be other outputs: a link may be to a single one. */
  get others(): boolean {
    return !this.hub?.only;
  }

  /** The token for another socket; `null` when the hub does not know it any more. Rejects when nothing answers. */
  async admit(): Promise<string | null> {
    return (await this.#verify()) ? this.#api.token : null;
  }

  /** Ask anew how much the hub holds. */
  async refresh(): Promise<void> {
    this.hub = await this.#api.state();
  }

  /** Fetch what is spoken of now: the newest at once, everything else after it. @throws when the hub refuses */
  async list(): Promise<void> {
    this.#take(await this.#newest());
  }

  dismiss(notice: string): void {
    this.notices = this.notices.filter((each) => each !== notice);
  }

  #connect(hub: string, token: string): void {
    keptToken.set(hub, token);
    this.#api.token = token;
    this.#events.admitted(hub);
    this.#loaded = this.#load();
    if (mayHandOver(location)) this.#stopAnswering = answerPanes(hub, token, location);
    this.#verify = () => verify(hub, token);
    this.#connection = new Connection({
      url: socketUrl("ws/pane"),
      token,
      verify: this.#verify,
      since: () => this.#resume(),
      changed: (changed) => this.#changed(changed),
      notice: (message) => this.#notice(message),
      status: (status) => this.#setStatus(status),
    });
    this.#connection.start();
  }

  #setStatus(status: Status): void {
    this.phase = status === "refused" ? "no-token" : status;
    if (status === "reconnecting") this.#fresh = false;
    if (status === "refused") this.#stopAnswering();
    if (status === "connecting" || status === "connected") this.#heard = Date.now();
  }

  async #probe(): Promise<void> {
    const silence = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE, null));
    const alive = await Promise.race([this.#api.state(), silence]).catch(() => null);
    if (alive === null) this.#connection?.renew();
    else this.#heard = Date.now();
  }

  /** Fetch the newest page, so that it is painted at once; everything else comes after it. */
  async #load(): Promise<void> {
    const [state, list] = await Promise.all([this.#api.state(), this.#newest()]);
    this.#learn(state);
    this.#cursor = list.event;
    this.#outputs.apply(list.outputs);
    await this.#events.begun(state.hub);
    this.#fresh = true;
    if (state.only) return void (this.#outputs.complete = true);
    void this.#configure().catch(() => {});
    void this.#api.sessions().then(({ sessions }) => this.#takeSessions(sessions), () => {});
    void this.#backfill(list);
  }

  async #configure(): Promise<void> {
    this.#config.adopt(await this.#api.settings());
    for (const each of this.#config.problems) this.#notice(each);
  }

  #newest(): Promise<OutputList> {
    return this.#api.outputs({ limit: FIRST_PAGE, project: this.#outputs.project });
  }

  #take(list: OutputList): void {
    this.#outputs.apply(list.outputs);
    void this.#backfill(list);
  }

  /** Fetch the older ones, page by page, as long as the same project is spoken of. */
  async #backfill({ outputs, total }: OutputList): Promise<void> {
    const { project } = this.#outputs;
    let before = outputs[0]?.id;
    let more = outputs.length < total;
    let rest = FIRST_SIGHT;
    try {
      while (more && before !== undefined) {
        await new Promise((resolve) => setTimeout(resolve, rest));
        rest = BREATH;
        const page = await this.#api.outputs({ limit: PAGE, before, project });
        if (this.#outputs.project !== project) return;
        this.#outputs.apply(page.outputs);
        before = page.outputs[0]?.id;
        more = page.outputs.length === PAGE;
      }
      this.#outputs.complete = true;
    } catch (error) {
      this.#events.failed((error as Error).message);
    }
  }

  /** Where the hub goes on. After a reconnection: from the last event seen, or anew where the hub's own store is. */
  async #resume(): Promise<number> {
    await this.#loaded.catch(() => (this.#loaded = this.#load()));
    if (this.#fresh) {
      this.#fresh = false;
      return this.#cursor;
    }
    const state = await this.#api.state();
    const replaced = state.event < this.#cursor;
    if (replaced) this.#tell("replaced");
    else if (state.started !== this.hub?.started) this.#tell("restarted");
    if (replaced) {
      this.#outputs.reset();
      this.#events.reset(state.hub);
      await (this.#loaded = this.#load());
    }
    this.#learn(state);
    return this.#cursor;
  }

  #tell(broke: "restarted" | "replaced"): void {
    clearTimeout(this.#telling);
    this.broke = broke;
    this.#telling = setTimeout(() => (this.broke = null), TOLD);
  }

  #learn(state: HubState): void {
    this.hub = state;
    this.notices = [...(state.notices ?? []), ...this.#config.problems];
  }

  #changed({ event, outputs, sessions, reset }: Changed): void {
    this.#heard = Date.now();
    if (reset) {
      this.#cursor = Number.MAX_SAFE_INTEGER; // ahead of any event, so that resuming loads everything anew
      this.#connection?.renew();
      return;
    }
    this.#cursor = Math.max(this.#cursor, event);
    this.#outputs.apply(outputs ?? []);
    if (outputs?.length) this.#events.changed();
    this.#takeSessions(sessions ?? []);
  }

  #takeSessions(sessions: readonly SessionRecord[]): void {
    if (sessions.length > 0) this.sessions = new Map([...this.sessions, ...sessions.map((each) => [each.id, each] as const)]);
  }

  #notice(message: string): void {
    if (!this.notices.includes(message)) this.notices = [...this.notices, message];
  }
}

/** Whether the hub at the page's address is still the same, and knows the token. Rejects when nothing answers. */
async function verify(hub: string, token: string): Promise<boolean> {
  const answer = await challenge(location, token);
  return answer.hello.hub === hub && knows(answer, token);
}
