/** The last state of an ended session's widgets, as the hub has kept it: see `Room.keep` in `ipyweb/hub/comms.py`. */
import type { Companions } from "../companions.ts";
import { placed } from "../frame/companions.ts";
import { LineComm, said } from "./line.ts";
import { putBuffers, type Comm, type ModuleText, type Opening, type Path, type Source, type State } from "./opening.ts";

/** What is kept: as `ipywidgets.embed` has it, with `texts` and `messages` besides. */
interface Kept {
  state: Record<string, KeptModel>;
  /** By module the names of scripts that go before it. */
  scripts?: Record<string, string[]>;
}

interface KeptModel {
  state: State;
  buffers?: { path: Path; data: string }[];
  /** By key the SHA-256 of a long text. */
  texts?: Record<string, string>;
  /** Those that have drawn it, where its state does not say how it looks. */
  messages?: { data: Record<string, unknown>; buffers: string[] }[];
}

/** Models that nobody answers. */
export class KeptWidgets implements Source {
  readonly openings: ReadonlyMap<string, Opening>;
  readonly #assets: ReadonlyMap<string, ArrayBuffer>;
  readonly #models: Record<string, KeptModel>;
  readonly #scripts: Record<string, string[]>;

  constructor(widgets: ArrayBuffer, { assets }: Companions) {
    this.#assets = new Map(assets.map(({ name, content }) => [name, content]));
    const { state, scripts = {} } = JSON.parse(placed(new TextDecoder().decode(widgets), assets)) as Kept;
    this.#models = state;
    this.#scripts = scripts;
    this.openings = new Map(Object.entries(state).map(([id, model]) => [id, this.#opening(id, model)]));
  }

  opening(id: string): Promise<Opening> {
    const known = this.openings.get(id);
    return known ? Promise.resolve(known) : Promise.reject(new Error(`widget ${id} was not kept`));
  }

  /** One on which a model hears what has drawn it. */
  comm({ id, target }: Opening): Comm | undefined {
    const { messages = [] } = this.#models[id]!;
    if (messages.length === 0) return undefined;
    const comm = new LineComm(id, target, () => "");
    for (const { data, buffers } of messages) comm.deliver(said(id, data, buffers.map((each) => new DataView(fromBase64(each)))));
    return comm;
  }

  begin(): Comm {
    throw new Error("the session has ended");
  }

  module(name: string): ModuleText {
    const text = this.#text(`module:${name}`);
    if (text === undefined) throw new Error(`the front-end module ${name} was not kept`);
    return { text, scripts: (this.#scripts[name] ?? []).map((each) => ({ name: each, text: this.#text(each) ?? "" })) };
  }

  #opening(id: string, { state, buffers = [], texts = {} }: KeptModel): Opening {
    for (const [key, name] of Object.entries(texts)) state[key] = this.#text(`text:${name}`) ?? "";
    putBuffers(state, buffers.map(({ path }) => path), buffers.map(({ data }) => new DataView(fromBase64(data))));
    return { id, target: "jupyter.widget", metadata: {}, state };
  }

  #text(name: string): string | undefined {
    const content = this.#assets.get(name);
    return content && new TextDecoder().decode(content);
  }
}

const fromBase64 = (text: string): ArrayBuffer => Uint8Array.from(atob(text), (each) => each.charCodeAt(0)).buffer;
