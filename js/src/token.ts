/**
 * Where the pane's token comes from: the address's fragment, the tab's storage, or another open pane of the same hub.
 *
 * A fragment never reaches a server or a log. The page keeps its token in `sessionStorage`, by hub, and wipes it from
 * the address bar. The token leaves a tab only after the hub passed the tab's own challenge.
 */
import { challenge, isShared, knows, randomHex, type Answer } from "./hello.ts";
import { isObject } from "./protocol.ts";

/** What the fragment of the pane's address says. */
export interface Fragment {
  token: string | null;
  code: string | null;
  /** Path of the project to speak of. */
  project: string | null;
  /** Id of the output to show. */
  output: number | null;
}

export function parseFragment(hash: string): Fragment {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const id = Number(fields.get("o"));
  return {
    token: fields.get("token"),
    code: fields.get("code"),
    project: fields.get("project"),
    output: Number.isSafeInteger(id) && id > 0 ? id : null,
  };
}

/** The fragment that survives in the address bar: the output shown, if it is not simply the newest. */
export function formatFragment(output: number | null): string {
  return output === null ? "" : `#o=${output}`;
}

/** The tab's own token for a hub, over reloads. */
export const keptToken = {
  get: (hub: string): string | null => sessionStorage.getItem(`ipyweb.token.${hub}`),
  set: (hub: string, token: string): void => sessionStorage.setItem(`ipyweb.token.${hub}`, token),
};

/** The token that the address brought, until the hub has been asked about it: a reload in between has no other. */
export const broughtToken = {
  get: (): string | null => sessionStorage.getItem("ipyweb.brought"),
  set: (token: string): void => sessionStorage.setItem("ipyweb.brought", token),
  forget: (): void => sessionStorage.removeItem("ipyweb.brought"),
};

/**
 * A token that the hub knows: the one that the address brings, else the tab's own, else one for whom something vouches
 * that is in front of the hub, else that of another open pane.
 * `null` when there is none.
 */
export async function findToken(answer: Answer, { token, code }: Fragment, location: Location): Promise<string | null> {
  const { hub } = answer.hello;
  const offered = code ? await exchange(code, location.href).catch(() => null) : token;
  for (const each of [offered, broughtToken.get(), keptToken.get(hub)]) if (each && (await isKnown(answer, each, location))) return each;
  const given = answer.hello.vouched ? await exchange(null, location.href).catch(() => null) : null;
  if (given && (await isKnown(answer, given, location))) return given;
  const others = mayHandOver(location) ? await askPanes(hub) : null;
  return others && (await isKnown(answer, others, location)) ? others : null;
}

/** Whether the hub that has answered knows a token; of one that was given away it has to be asked. */
async function isKnown(answer: Answer, token: string, location: Location): Promise<boolean> {
  const told = isShared(token) ? await challenge(location, token) : answer;
  return told.hello.hub === answer.hello.hub && knows(told, token);
}

/** Exchange a single-use code for a token; none is needed where one is let in. @throws when it is used, wrong or older than 10 s. */
async function exchange(code: string | null, base: string): Promise<string> {
  const response = await fetch(new URL("exchange", base), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
  const answer: unknown = response.ok ? await response.json() : null;
  if (!isObject(answer) || typeof answer.token !== "string") throw new Error("expected a token for the code; it is used, or older than 10 s");
  return answer.token;
}

const CHANNEL = "ipyweb";
const PATIENCE = 1500;

/** Whether tabs may hand each other tokens: behind a path prefix the origin belongs to others too. */
export function mayHandOver(location: Location): boolean {
  return location.pathname === "/" && typeof BroadcastChannel === "function";
}

/** Ask the open panes of `hub` for their token. `null` when none answers within 1.5 s. */
export function askPanes(hub: string): Promise<string | null> {
  const channel = new BroadcastChannel(CHANNEL);
  const ask = randomHex(16);
  return new Promise((resolve) => {
    const end = (token: string | null) => {
      clearTimeout(timer);
      channel.close();
      resolve(token);
    };
    const timer = setTimeout(() => end(null), PATIENCE);
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (isObject(data) && data.type === "token" && data.ask === ask && typeof data.token === "string") end(data.token);
    };
    channel.postMessage({ type: "token?", ask, hub });
  });
}

/** Answer other tabs' questions with `token`, after the hub passed this tab's challenge. Returns the undo. */
export function answerPanes(hub: string, token: string, location: Location): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = async ({ data }: MessageEvent<unknown>) => {
    if (!isObject(data) || data.type !== "token?" || data.hub !== hub) return;
    const answer = await challenge(location, token).catch(() => null);
    if (answer?.hello.hub === hub && knows(answer, token)) channel.postMessage({ type: "token", ask: data.ask, token });
  };
  return () => channel.close();
}
