/** The challenge that a hub must pass before it is sent a token: it proves that it knows the token already. */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { isObject } from "./protocol.ts";

/** A hub's answer to `GET /hello`. */
export interface Hello {
  hub: string;
  protocol: number;
  version: string;
  port: number;
  /** By scope, the proof that the hub knows the token of that scope. */
  proofs: Record<string, string>;
  /** Whether whoever asks has been let in by something that this user trusts, Jupyter's login. */
  vouched?: boolean;
}

/** A hub's answer, with the challenge that it answers. */
export interface Answer {
  hello: Hello;
  nonce: string;
  /** The `Host` that was dialled; the proof is bound to it. */
  host: string;
}

/**
 * Ask the hub at the page's own address who it is.
 *
 * @param token one that it may have to prove too: what a link that was given away says, unsigned, is told to it
 * @throws when it does not answer, or with something else
 */
export async function challenge(location: Location, token: string | null = null, fetcher: typeof fetch = fetch): Promise<Answer> {
  const nonce = randomHex(16);
  const query = new URLSearchParams({ nonce, ...(token !== null && isShared(token) && { claims: token.slice(0, token.lastIndexOf(".")) }) });
  const response = await fetcher(new URL(`hello?${query}`, location.href), { cache: "no-store", signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`expected an answer to /hello, got status ${response.status}`);
  const hello: unknown = await response.json();
  if (!isHello(hello)) throw new Error("expected the answer of an ipyweb hub to /hello, got something else");
  return { hello, nonce, host: location.host };
}

/** Whether a token is of a link that was given away: `ipyweb/hub/sharing.py` has its format. */
export const isShared = (token: string): boolean => /^1\.[\w-]+\.[\w-]+$/.test(token);

/** Whether the hub proved that it knows `token`, for whichever scope the token has. */
export function knows(answer: Answer, token: string): boolean {
  const { hello, nonce, host } = answer;
  const expected = proof(token, nonce, hello.hub, host, hello.port);
  return Object.values(hello.proofs).some((offered) => equal(offered, expected));
}

/** What a hub that knows `token` answers to `nonce`, in hexadecimal. `connection.proof` in Python is the same. */
export function proof(token: string, nonce: string, hub: string, host: string, port: number): string {
  return bytesToHex(hmac(sha256, utf8ToBytes(token), utf8ToBytes(`ipyweb hello\n${nonce}\n${hub}\n${host}\n${port}`)));
}

/** `length` random bytes in hexadecimal. */
export function randomHex(length: number): string {
  return bytesToHex(crypto.getRandomValues(new Uint8Array(length)));
}

function equal(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}

function isHello(value: unknown): value is Hello {
  return (
    isObject(value) &&
    typeof value.hub === "string" &&
    typeof value.port === "number" &&
    isObject(value.proofs) &&
    Object.values(value.proofs).every((each) => typeof each === "string")
  );
}
