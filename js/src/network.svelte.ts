/**
 * The network that the user has allowed to single outputs: hosts by name, over https. It is remembered by the tab, for
 * one hub, and goes with it; the hub widens the policy of the output's own frame, and of no other.
 */
import type { OutputRecord } from "./protocol.ts";

/** Hosts that may be allowed to one output. The hub draws the same lines (`ipyweb/hub/network.py`). */
export const MOST_HOSTS = 32;
const HOST = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;
const OWN = new Set(["localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "private", "arpa"]);

/** What was allowed to an output. */
export interface Grant {
  hosts: readonly string[];
  /** Address of its frame document. */
  frame: string;
}

/** Whether a host may be allowed: a plain name of the internet. Whoever asks for it is not to be trusted. */
export const isPublic = (host: string): boolean => host.length <= 253 && HOST.test(host) && !OWN.has(host.slice(host.lastIndexOf(".") + 1));

export class Network {
  #grants = $state.raw<ReadonlyMap<string, Grant>>(new Map());
  #key = "";
  readonly #ask: (output: number, hosts: readonly string[]) => Promise<Grant>;

  constructor(ask: (output: number, hosts: readonly string[]) => Promise<Grant>) {
    this.#ask = ask;
  }

  /** What was allowed before the tab was reloaded, as long as it is the same hub. */
  begin(hub: string): void {
    this.#key = `ipyweb.network ${hub}`;
    this.#grants = new Map(JSON.parse(sessionStorage.getItem(this.#key) ?? "[]") as [string, Grant][]);
  }

  /** What was allowed to an output. */
  of(output: OutputRecord): Grant | null {
    return this.#grants.get(name(output)) ?? null;
  }

  /** Allow hosts to an output, besides those allowed to it already. @throws when the hub refuses */
  async allow(output: OutputRecord, hosts: readonly string[]): Promise<void> {
    const all = [...new Set([...(this.of(output)?.hosts ?? []), ...hosts])].slice(0, MOST_HOSTS);
    this.#keep(new Map(this.#grants).set(name(output), await this.#ask(output.id, all)));
  }

  /** Allow an output nothing any more. */
  takeBack(output: OutputRecord): void {
    const grants = new Map(this.#grants);
    grants.delete(name(output));
    this.#keep(grants);
  }

  #keep(grants: ReadonlyMap<string, Grant>): void {
    this.#grants = grants;
    sessionStorage.setItem(this.#key, JSON.stringify([...grants]));
  }
}

/** An id of an emptied store may come again; with its time it is that output and no other. */
const name = ({ id, created }: OutputRecord): string => `${id} ${created}`;
