import { afterEach, expect, it, vi } from "vitest";
import { challenge, proof } from "./hello.ts";
import { answerPanes, askPanes, findToken, formatFragment, keptToken, mayHandOver, parseFragment } from "./token.ts";

const PAGE = new URL("http://127.0.0.1:20123/") as unknown as Location;
const PROXIED = new URL("http://localhost:8888/proxy/20123/") as unknown as Location;

afterEach(() => void vi.unstubAllGlobals());

/** A hub on the page's address that knows `token`. */
function stubHub(token: string): void {
  vi.stubGlobal("fetch", async (url: URL) => {
    const nonce = url.searchParams.get("nonce")!;
    return Response.json({ hub: "h1", port: 20123, proofs: { pane: proof(token, nonce, "h1", "127.0.0.1:20123", 20123) } });
  });
}

it("reads what the address says", () => {
  expect(parseFragment("#token=ab&project=%2Fhome%2Fada%2Fmy%20work&o=17")).toEqual({ token: "ab", code: null, project: "/home/ada/my work", output: 17 });
  expect(parseFragment("#o=-1").output).toBeNull();
  expect(parseFragment("")).toEqual({ token: null, code: null, project: null, output: null });
});

it("keeps only the output in the address", () => {
  expect([formatFragment(17), formatFragment(null)]).toEqual(["#o=17", ""]);
});

it("hands no token over where the origin belongs to others too", () => {
  expect(mayHandOver(PAGE)).toBe(true);
  expect(mayHandOver(PROXIED)).toBe(false);
});

it("gets the token of an open pane of the same hub", async () => {
  stubHub("secret");
  const stop = answerPanes("h1", "secret", PAGE);
  expect(await askPanes("h1")).toBe("secret");
  stop();
});

it("does not give the token away when the hub fails the challenge", async () => {
  stubHub("another");
  const stop = answerPanes("h1", "secret", PAGE);
  expect(await askPanes("h1")).toBeNull();
  stop();
});

it("does not answer for another hub", async () => {
  stubHub("secret");
  const stop = answerPanes("h1", "secret", PAGE);
  expect(await askPanes("h2")).toBeNull();
  stop();
});

it("takes the address's token before the tab's own, and neither if the hub does not know it", async () => {
  stubHub("secret");
  const found = async (token: string | null) => findToken(await challenge(PAGE), { token, code: null, project: null, output: null }, PROXIED);
  sessionStorage.clear();
  expect([await found("secret"), await found("wrong"), await found(null)]).toEqual(["secret", null, null]);
  keptToken.set("h1", "secret");
  expect([await found("wrong"), await found(null)]).toEqual(["secret", "secret"]);
});

it("asks the hub about a token that was given away, by what it says and not by its signature", async () => {
  const token = "1.eyJ9.c2ln";
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: URL) => {
    asked.push(url.href);
    const nonce = url.searchParams.get("nonce")!;
    const shared = url.searchParams.get("claims") === "1.eyJ9" && { shared: proof(token, nonce, "h1", "127.0.0.1:20123", 20123) };
    return Response.json({ hub: "h1", port: 20123, proofs: { pane: proof("another", nonce, "h1", "127.0.0.1:20123", 20123), ...shared } });
  });
  sessionStorage.clear();
  const found = async (each: string) => findToken(await challenge(PAGE), { token: each, code: null, project: null, output: null }, PAGE);
  expect([await found(token), await found("1.other.c2ln")]).toEqual([token, null]);
  expect(asked.some((url) => url.includes("c2ln"))).toBe(false);
});

it("asks for a token where the hub says that somebody vouches for the page", async () => {
  const asked: [string, unknown][] = [];
  vi.stubGlobal("fetch", async (url: URL, { body }: RequestInit = {}) => {
    asked.push([url.pathname, body]);
    return Response.json({ token: "secret" });
  });
  const nonce = "ab".repeat(16);
  const hello = { hub: "h2", protocol: 1, version: "1", port: 0, proofs: { pane: proof("secret", nonce, "h2", "hub.example.org", 0) } };
  const location = new URL("https://hub.example.org/user/ada/ipyweb/") as unknown as Location;
  const found = (vouched: boolean) => findToken({ hello: { ...hello, vouched }, nonce, host: "hub.example.org" }, parseFragment(""), location);
  expect(await found(false)).toBeNull();
  expect(asked).toEqual([]);
  expect(await found(true)).toBe("secret");
  expect(asked).toEqual([["/user/ada/ipyweb/exchange", '{"code":null}']]);
});
