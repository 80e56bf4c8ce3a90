/** The frame's end of the line to its session: what is open there, and what is said on comms. `comms.ts` is the other end. */
import type { Packet } from "../comms.ts";
import { isObject, type Header } from "../protocol.ts";
import { placed } from "../frame/companions.ts";
import { stateOf, withTexts, type Callbacks, type Comm, type ModuleText, type Opening, type Part, type Said, type Source, type State } from "./opening.ts";

/** What whoever shows a widget wants to know. */
export interface LineEvents {
  /** A comm was opened. */
  opened(id: string): void;
  /** A comm was closed by its session. */
  closed(id: string): void;
  /** The session is there, gone or over; or the line is cut. */
  changed(): void;
  /** Whether something has not been answered for a while. */
  busy(busy: boolean): void;
}

type Port = Pick<MessagePort, "postMessage" | "onmessage">;

/** Milliseconds without an answer after which the session counts as busy. */
const BUSY_AFTER = 300;
/** Milliseconds for a model to be opened that another one refers to already. */
const OPENS_WITHIN = 10_000;
/** Messages kept for a model that is not made yet, the latest. */
const MOST_WAITING = 6000;
const UPDATES: readonly unknown[] = ["update", "echo_update"];

/** A model that something refers to and that is not open yet. */
interface Awaited {
  promise: Promise<Opening>;
  come: (opening: Opening) => void;
}

/** A message that was sent and is not handled yet. */
interface Pending {
  comm: string;
  /** Of the state that it carries; an echo will say what became of them. */
  keys: readonly string[];
  isOrder: boolean;
  callbacks: Callbacks | undefined;
}

interface Module {
  sha256: string | null;
  reason?: string;
  /** Names of what is to be run before it. */
  scripts?: string[];
}

export class Line implements Source {
  /** Whether the session answers. */
  live = false;
  /** Whether anything may be said to it. */
  speaks = true;
  /** Whether the session is over. */
  ended = false;
  /** Why the line was cut, if it was. */
  refused: string | null = null;
  readonly openings = new Map<string, Opening>();
  /** Resolves when it is known what is open. */
  readonly filled: Promise<void>;

  /** How often models lost what was said to them, or by them, and is no part of their state: they are to be made anew. */
  losses = 0;

  readonly #port: Port;
  readonly #events: LineEvents;
  #comms = new Map<string, LineComm>();
  /** Comms of models that lost something. */
  #lost: LineComm[] = [];
  /** Comms on which something was said that is no part of a state, and would be lost with the line. */
  readonly #ordered = new Set<string>();
  readonly #texts = new Map<string, string>();
  readonly #modules = new Map<string, Module>();
  /** Files of the user's own packages: the SHA-256 of each by URL, and of each script by name. */
  readonly #assets = new Map<string, string>();
  /** By comm: what was said to models that are not made yet, and is no part of their state. */
  readonly #waiting = new Map<string, Said[]>();
  readonly #awaited = new Map<string, Awaited>();
  readonly #pending = new Map<string, Pending>();
  readonly #late = new Set<string>();
  /** What was open before everything is said anew. */
  #stale = new Set<string>();
  #fill!: () => void;
  #count = 0;

  constructor(port: Port, events: LineEvents) {
    this.#port = port;
    this.#events = events;
    this.filled = new Promise((resolve) => (this.#fill = resolve));
    port.onmessage = ({ data }: MessageEvent<Packet>) => this.#heard[data.header.type]?.(data.header, data.buffers);
  }

  // -- what the session says ------------------------------------------------------------------------------------------

  readonly #heard: Partial<Record<string, (header: Header, buffers: ArrayBuffer[]) => void>> = {
    reset: () => this.#beginAnew(),
    text: ({ sha256 }, [text]) => void this.#texts.set(String(sha256), new TextDecoder().decode(text)),
    module: (header) => void this.#modules.set(String(header.name), header as unknown as Module),
    asset: ({ name, sha256 }) => void this.#assets.set(String(name), String(sha256)),
    comm_open: (header, buffers) => this.#opened(header, buffers),
    comm_msg: (header, buffers) => this.#message(header, buffers),
    comm_close: ({ comm_id }) => this.#closed(String(comm_id)),
    status: ({ parent }) => this.#idle(String(parent)),
    live: ({ live, speaks }) => {
      this.speaks = speaks !== false;
      this.#setLive(live === true);
    },
    ended: () => {
      this.ended = true;
      this.#setLive(false);
    },
    refused: ({ reason }) => {
      this.refused = String(reason);
      this.#setLive(false);
    },
  };

  /** Everything is said anew, but what was said since it was said last. */
  #beginAnew(): void {
    this.#stale = new Set(this.openings.keys());
    this.#waiting.clear();
    this.#settle();
    if (![...this.#comms.keys()].some((id) => this.#ordered.has(id))) return;
    for (const comm of this.#comms.values()) comm.fallSilent();
    this.#lost.push(...this.#comms.values());
    this.#comms = new Map();
    this.openings.clear(); // made from what is old, they would speak before the hub knows them again
    this.#ordered.clear();
    this.losses++;
  }

  /** Whether a comm is open, and was said anew if everything is. */
  isOpen(id: string): boolean {
    return this.openings.has(id) && !this.#stale.has(id);
  }

  /** End the models that lost something. */
  endLost(): void {
    for (const comm of this.#lost.splice(0)) comm.end(said(comm.comm_id, {}));
  }

  /** A comm is opened; or said anew, with all of its state, to a model that is made already. */
  #opened(header: Header, buffers: ArrayBuffer[]): void {
    const id = String(header.comm_id);
    const given = stateOf(header, buffers, (name) => this.#texts.get(name));
    const state = this.#linked(given._model_module, given);
    this.#stale.delete(id);
    const opening = { id, target: String(header.target_name), metadata: isObject(header.metadata) ? header.metadata : {}, state };
    this.openings.set(id, opening);
    this.#comms.get(id)?.deliver(said(id, { method: "update", state, buffer_paths: [] }));
    this.#awaited.get(id)?.come(opening);
    this.#awaited.delete(id);
    this.#events.opened(id);
  }

  /** Say which model is shown, of all that are there. */
  views(id: string): void {
    this.#port.postMessage({ header: { type: "view", comm_id: id }, buffers: [] });
  }

  /** To a model that is made, else into the state from which it will be. */
  #message(header: Header, buffers: ArrayBuffer[]): void {
    const id = String(header.comm_id);
    const data = this.#linked(this.openings.get(id)?.state._model_module, isObject(header.data) ? header.data : {});
    if (!UPDATES.includes(data.method)) return this.#order(id, said(id, data, buffers.map((each) => new DataView(each)), header.parent));
    const state = stateOf({ ...header, data }, buffers, (name) => this.#texts.get(name));
    const comm = this.#comms.get(id);
    if (!comm) Object.assign(this.openings.get(id)?.state ?? {}, state);
    else if (data.method === "update") comm.deliver(said(id, { ...data, state, buffer_paths: [] }, [], header.parent));
    else this.#echo(comm, state, header.parent);
  }

  /** What is no part of a state. */
  #order(id: string, message: Said): void {
    const comm = this.#comms.get(id);
    this.#ordered.add(id);
    if (comm) comm.deliver(message);
    else if (this.openings.has(id)) this.#wait(id, message);
  }

  /**
   * Models take from no echo what they wait for in another one. That never comes where a newer update has taken the place
   * of theirs, or where it was lost; so what nothing is on its way for is said to them as an update.
   */
  #echo(comm: LineComm, state: State, parent: unknown): void {
    const awaited = new Set([...this.#pending.values()].flatMap((each) => (each.comm === comm.comm_id ? each.keys : [])));
    const [echoed, news] = [true, false].map((has) => Object.entries(state).filter(([key]) => awaited.has(key) === has));
    const say = (method: string, part: [string, unknown][] = []): void => {
      if (part.length > 0) comm.deliver(said(comm.comm_id, { method, state: Object.fromEntries(part), buffer_paths: [] }, [], parent));
    };
    say("update", news);
    say("echo_update", echoed);
  }

  #wait(id: string, message: Said): void {
    const waiting = this.#waiting.get(id) ?? [];
    waiting.push(message);
    if (waiting.length > MOST_WAITING) waiting.shift();
    this.#waiting.set(id, waiting);
  }

  #closed(id: string): void {
    this.openings.delete(id);
    for (const [number, { comm }] of [...this.#pending]) if (comm === id) this.#idle(number);
    this.#waiting.delete(id);
    const comm = this.#comms.get(id);
    this.#comms.delete(id);
    comm?.end(said(id, {}));
    this.#events.closed(id);
  }

  /** After everything was said anew: what was not is not there any more. */
  #setLive(live: boolean): void {
    this.live = live;
    if (live) for (const id of this.#stale) this.#closed(id);
    this.#stale.clear();
    if (!live) this.#settle();
    this.#fill();
    this.#events.changed();
  }

  /** Nobody will say any more what became of what was said. */
  #settle(): void {
    for (const id of [...this.#pending.keys()]) this.#lose(id);
  }

  #lose(id: string): void {
    const pending = this.#pending.get(id);
    if (pending?.isOrder) this.#ordered.add(pending.comm);
    this.#idle(id);
  }

  #idle(id: string): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    if (this.#late.delete(id) && this.#late.size === 0) this.#events.busy(false);
    pending.callbacks?.iopub?.status?.({ header: { msg_type: "status" }, content: { execution_state: "idle" } });
  }

  // -- what models ask and say ----------------------------------------------------------------------------------------

  opening(id: string): Promise<Opening> {
    const known = this.openings.get(id);
    if (known) return Promise.resolve(known);
    return this.#awaited.get(id)?.promise ?? this.#await(id);
  }

  #await(id: string): Promise<Opening> {
    let come!: (opening: Opening) => void;
    const promise = new Promise<Opening>((resolve, reject) => {
      come = resolve;
      setTimeout(() => {
        if (this.#awaited.get(id)?.come === come) this.#awaited.delete(id);
        reject(new Error(`the session has no widget ${id}`));
      }, OPENS_WITHIN);
    });
    this.#awaited.set(id, { promise, come });
    return promise;
  }

  comm({ id, target }: Opening): Comm {
    return this.begin(target, id);
  }

  begin(target: string, id: string): Comm {
    const comm = new LineComm(id, target, (...message) => this.#say(...message));
    this.#comms.set(id, comm);
    for (const message of this.#waiting.get(id) ?? []) comm.deliver(message);
    this.#waiting.delete(id);
    return comm;
  }

  module(name: string): ModuleText {
    const module = this.#modules.get(name);
    const text = this.#texts.get(module?.sha256 ?? "");
    if (text === undefined) throw new Error(module?.reason ?? `the session has not sent the front-end module ${name}`);
    return { text, scripts: (module?.scripts ?? []).map((each) => ({ name: each, text: this.#asset(each) })) };
  }

  #asset(name: string): string {
    return this.#texts.get(this.#assets.get(name) ?? "") ?? "";
  }

  /** What is said to a model of a module that names files by URLs, with addresses inside this frame in their place. */
  #linked<T>(module: unknown, value: T): T {
    if (!this.#modules.get(String(module))?.scripts?.length) return value;
    const assets = [...this.#assets.keys()].map((name) => ({ name, content: this.#asset(name) }));
    return withTexts(value, (text) => placed(text, assets));
  }

  /** Say something on a comm. Returns the message's number; where nobody answers, it counts as handled. */
  #say(header: Header, callbacks: Callbacks | undefined, buffers: Part[]): string {
    const id = String(++this.#count);
    this.#pending.set(id, { comm: String(header.comm_id), keys: keysOf(header.data), isOrder: isOrder(header.data), callbacks });
    if (this.live) {
      this.#port.postMessage({ header: { ...header, msg_id: id }, buffers });
      setTimeout(() => this.#overdue(id), BUSY_AFTER);
    } else queueMicrotask(() => this.#lose(id)); // models count what they wait for only after this
    return id;
  }

  #overdue(id: string): void {
    if (!this.#pending.has(id)) return;
    this.#late.add(id);
    this.#events.busy(true);
  }
}

const isOrder = (data: unknown): boolean => isObject(data) && data.method === "custom";
const keysOf = (data: unknown): string[] => (isObject(data) && isObject(data.state) ? Object.keys(data.state) : []);

/** A message as models get it. */
export function said(comm_id: string, data: Record<string, unknown>, buffers: DataView[] = [], parent?: unknown): Said {
  return { header: { msg_type: "comm_msg" }, parent_header: typeof parent === "string" ? { msg_id: parent } : {}, metadata: {}, content: { comm_id, data }, buffers };
}

type Say = (header: Header, callbacks: Callbacks | undefined, buffers: Part[]) => string;

export class LineComm implements Comm {
  readonly comm_id: string;
  readonly target_name: string;
  #say: Say;
  #begin!: (ready: unknown) => void;
  #until: Promise<unknown> = Promise.resolve();
  #seen: Promise<unknown> = Promise.resolve();
  /** One after the other: what a model makes of a message may take a while. */
  #queue: Promise<unknown>;
  #hear: ((said: Said) => unknown) | undefined;
  #end: ((said: Said) => unknown) | undefined;

  constructor(id: string, target: string, say: Say) {
    this.comm_id = id;
    this.target_name = target;
    this.#say = say;
    this.#queue = new Promise((resolve) => (this.#begin = resolve));
  }

  on_msg(handler: (said: Said) => unknown): void {
    this.#hear = handler;
    this.#begin(this.#until);
  }

  on_close(handler: (said: Said) => unknown): void {
    this.#end = handler;
  }

  hold(model: Promise<unknown>, seen: Promise<unknown>): void {
    this.#until = model.catch(() => {});
    this.#seen = seen;
  }

  open(data: unknown, callbacks?: Callbacks, metadata?: object, buffers: Part[] = []): string {
    return this.#say({ type: "comm_open", comm_id: this.comm_id, target_name: this.target_name, data: data ?? {}, metadata }, callbacks, buffers);
  }

  send(data: unknown, callbacks?: Callbacks, metadata?: object, buffers: Part[] = []): string {
    return this.#say({ type: "comm_msg", comm_id: this.comm_id, data: data ?? {}, metadata }, callbacks, buffers);
  }

  close(data?: unknown, callbacks?: Callbacks, metadata?: object, buffers: Part[] = []): string {
    return this.#say({ type: "comm_close", comm_id: this.comm_id, data: data ?? {}, metadata }, callbacks, buffers);
  }

  deliver(message: Said): void {
    const ready = message.content.data.method === "custom" ? this.#queue.then(() => this.#seen) : this.#queue;
    this.#queue = ready.then(() => this.#hear?.(message)).catch((error: unknown) => console.warn(error));
  }

  end(message: Said): void {
    this.#end?.(message);
  }

  /** Nothing said on it reaches anybody any more. */
  fallSilent(): void {
    this.#say = () => "";
  }
}
