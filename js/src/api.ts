/** The hub's HTTP interface, as far as the pane uses it. Every address is relative to the page. */
import type { Grant } from "./network.svelte.ts";
import type { OutputRecord, RunChanges, RunRecord, SessionRecord, VersionRecord } from "./protocol.ts";
import type { Drawing, Size } from "./renderers/figure.ts";

/** `GET /api/state`, as far as the pane uses it. */
export interface HubState {
  hub: string;
  /** When its process began; left out for a link to a single output. */
  started?: string;
  version: string;
  event: number;
  outputs: number;
  /** Bytes that the store takes, may take, and takes for what was removed. */
  bytes: number;
  max_bytes: number;
  trash_bytes: number;
  /** Days for which a removed output can come back, and for which one is kept. */
  trash_days: number;
  max_age: number;
  durable: boolean;
  notices: string[];
  /** Path of the frame document. */
  frame: string;
  /** What the pane's token opens: `viewer` only looks. */
  scope: string;
  /** Whether it opens a single output; then much of the above is left out. */
  only: boolean;
}

/** `GET /api/settings`: what the user's config file says. */
export interface PaneSettings {
  keys: Record<string, string[]>;
  theme: string;
  filter: string;
  filmstrip: string;
  /** Address that opens a file in an editor, with {file} and {line}. */
  editor: string;
  /** Text of a style sheet. */
  stylesheet: string | null;
  problems: string[];
}

/** `GET /api/outputs`: ascending by id. */
export interface OutputList {
  event: number;
  /** How many there are in all, whatever the limit. */
  total: number;
  outputs: OutputRecord[];
}

/** What the user may change of an output. */
export type Edits = Partial<Pick<OutputRecord, "title" | "note" | "pinned">>;

/** Outputs by id, or by what they have in common; `removed`: those in the trash. */
export interface Selection {
  ids?: readonly number[];
  project?: string | null;
  session?: string;
  removed?: boolean;
}

/** The hub refused, with its own words where it gave some. */
export class HubError extends Error {
  override name = "HubError";
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export class Api {
  /** Sent with every request. */
  token = "";
  readonly #base: string;

  /** @param base the page's address without its fragment */
  constructor(base: string) {
    this.#base = base;
  }

  state = (): Promise<HubState> => this.#json("api/state");

  settings = (): Promise<PaneSettings> => this.#json("api/settings");

  sessions = (): Promise<{ sessions: SessionRecord[] }> => this.#json("api/sessions");

  /** The newest runs of scripts, the newest first. */
  runs = (project: string | null): Promise<{ runs: RunRecord[] }> => this.#json(`api/runs${project === null ? "" : `?${new URLSearchParams({ project })}`}`);

  /** What a run has shown, compared with another one, or the one before. */
  changes = (run: string, other: string | null): Promise<RunChanges> => this.#json(`api/runs/${run}${other === null ? "" : `?with=${other}`}`);

  /** The newest outputs, or those with a smaller id than `before`. */
  outputs(query: { limit: number; before?: number | undefined; project: string | null; q?: string; removed?: boolean }, signal?: AbortSignal): Promise<OutputList> {
    const fields = new URLSearchParams({ limit: String(query.limit) });
    if (query.before !== undefined) fields.set("before", String(query.before));
    if (query.project !== null) fields.set("project", query.project);
    if (query.removed) fields.set("removed", "1");
    if (query.q !== undefined) fields.set("q", query.q);
    return this.#json(`api/outputs?${fields}`, { signal });
  }

  output = (id: number): Promise<OutputRecord> => this.#json(`api/outputs/${id}`);

  versions = (id: number): Promise<VersionRecord[]> => this.#json(`api/outputs/${id}/versions`);

  edit = (id: number, body: Edits): Promise<OutputRecord> => this.#json(`api/outputs/${id}`, { method: "PATCH", body });

  restore = (ids: readonly number[]): Promise<{ restored: number[] }> => this.#json("api/restore", { method: "POST", body: { ids } });

  /** Move what is described to the trash, but for pinned outputs that are not named. */
  clear = (which: Selection): Promise<{ removed: number[] }> => this.#json("api/clear", { method: "POST", body: which });

  /** Delete what is described for good. */
  purge = (which: Selection): Promise<{ purged: number[] }> => this.#json("api/clear?purge=1", { method: "POST", body: which });

  /** An address of the frame document in which an output may reach some hosts. */
  network = (id: number, hosts: readonly string[]): Promise<Grant> => this.#json(`api/outputs/${id}/network`, { method: "POST", body: { hosts } });

  /** Several outputs as one file. */
  async export(fields: Record<string, string>, progressed: (done: number, total: number) => void): Promise<{ content: Blob; name: string }> {
    const url = new URL(`api/export?${new URLSearchParams(fields)}`, this.#base);
    const response = await fetch(url, { headers: this.#headers(), cache: "no-store" });
    if (!response.ok) throw new HubError(response.status, reason(await response.text()) ?? `the hub answered ${response.status}`);
    const total = Number(response.headers.get("X-Ipyweb-Bytes") ?? 0);
    const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? `ipyweb.${fields.format}`;
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let done = 0;
    const reader = response.body!.getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      pieces.push(piece.value);
      progressed((done += piece.value.byteLength), Math.max(done, total));
    }
    return { content: new Blob(pieces), name };
  }

  /** A figure, drawn in a size and format. @throws when nobody can draw it, and it is not stored */
  async rendering(output: OutputRecord, mime: string, size: Size): Promise<Blob> {
    const response = await this.#data(output, mime, size);
    return response.blob();
  }

  /** A figure's PNG, drawn anew in a size; the stored one when nobody can draw it any more. */
  async drawing(output: OutputRecord, size: Size, signal: AbortSignal): Promise<Drawing> {
    const response = await this.#data(output, "image/png", size, signal);
    const { headers } = response;
    return {
      blob: await response.blob(),
      live: headers.get("X-Ipyweb-Rendered") === "keeper",
      gone: headers.get("X-Ipyweb-Environment") === "gone",
      reason: headers.get("X-Ipyweb-Reason") ?? "",
    };
  }

  async #data(output: OutputRecord, mime: string, size: Size, signal?: AbortSignal): Promise<Response> {
    const query = new URLSearchParams({ mime, version: String(output.version) });
    for (const [name, value] of Object.entries(size)) query.set(name, String(Number(value)));
    const url = new URL(`api/outputs/${output.id}/data?${query}`, this.#base);
    const response = await fetch(url, { headers: this.#headers(), cache: "no-store", signal: signal ?? null });
    if (!response.ok) throw new HubError(response.status, reason(await response.text()) ?? `the hub answered ${response.status}`);
    return response;
  }

  /** `Authorization` belongs to whatever proxy is in front. */
  #headers(): Record<string, string> {
    return { "X-Ipyweb-Token": this.token };
  }

  async #json<T>(path: string, { method = "GET", body, signal }: { method?: string; body?: unknown; signal?: AbortSignal | undefined } = {}): Promise<T> {
    const headers = this.#headers();
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const response = await fetch(new URL(path, this.#base), {
      method, headers, cache: "no-store", signal: signal ?? null, body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new HubError(response.status, reason(text) ?? `the hub answered ${response.status} to ${method} ${path}`);
    return (text ? JSON.parse(text) : null) as T;
  }
}

function reason(text: string): string | undefined {
  try {
    return String((JSON.parse(text) as { error: unknown }).error);
  } catch {
    return undefined;
  }
}

/** The bytes of MIME data at a capability URL, the first `limit` of them when given. @throws when they are gone. */
export async function fetchData(url: string, limit?: number, signal?: AbortSignal): Promise<ArrayBuffer> {
  const headers: Record<string, string> = limit === undefined ? {} : { Range: `bytes=0-${limit - 1}` };
  const response = await fetch(new URL(url, document.baseURI), { headers, signal: signal ?? null });
  if (!response.ok) throw new HubError(response.status, `the data is not at the hub any more (status ${response.status})`);
  return response.arrayBuffer();
}
