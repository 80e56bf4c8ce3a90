import { expect, it } from "vitest";
import { challenge, knows, proof, type Answer } from "./hello.ts";

const hello = (token: string, nonce: string, host: string) => ({
  hub: "h1", protocol: 1, version: "0.1.0", port: 20123, proofs: { pane: proof(token, nonce, "h1", host, 20123) },
});
const answer = (token: string): Answer => ({ hello: hello(token, "0a", "127.0.0.1:20123"), nonce: "0a", host: "127.0.0.1:20123" });

it("makes the proof that Python makes", () => {
  expect(proof("secret", "00ff", "h1", "127.0.0.1:20123", 20123)).toBe("3f1d05123e7ca5793bf83b4ed2f86520284a05fee4309e32c22e0975d12b821f");
});

it("believes a hub that knows the token", () => {
  expect(knows(answer("secret"), "secret")).toBe(true);
});

it("does not believe a hub that knows another token", () => {
  expect(knows(answer("other"), "secret")).toBe(false);
});

it("does not believe a proof that was made for another address", () => {
  expect(knows({ ...answer("secret"), host: "localhost:20123" }, "secret")).toBe(false);
});

it("does not believe the answer to another challenge", () => {
  expect(knows({ ...answer("secret"), nonce: "0b" }, "secret")).toBe(false);
});

it("asks with a fresh challenge each time, and sends no token", async () => {
  const asked: string[] = [];
  const fetcher = (async (url: URL, init?: RequestInit) => {
    asked.push(url.href);
    expect(init?.headers).toBeUndefined();
    return Response.json(hello("secret", "", ""));
  }) as unknown as typeof fetch;
  const place = new URL("http://127.0.0.1:20123/proxy/#token=x") as unknown as Location;
  await challenge(place, null, fetcher);
  await challenge(place, null, fetcher);
  expect(asked[0]).toMatch(/^http:\/\/127\.0\.0\.1:20123\/proxy\/hello\?nonce=[0-9a-f]{32}$/);
  expect(asked[0]).not.toBe(asked[1]);
});

it("refuses an answer that no hub gives", async () => {
  const fetcher = (async () => Response.json({ hub: 1 })) as unknown as typeof fetch;
  await expect(challenge(new URL("http://127.0.0.1:1/") as unknown as Location, null, fetcher)).rejects.toThrow("got something else");
});
