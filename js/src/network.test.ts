import { beforeEach, expect, it } from "vitest";
import { isPublic, MOST_HOSTS, Network, type Grant } from "./network.svelte.ts";
import type { OutputRecord } from "./protocol.ts";

const output = (id: number, created = "now"): OutputRecord => ({ id, created }) as OutputRecord;
const ask = async (id: number, hosts: readonly string[]): Promise<Grant> => ({ hosts, frame: `${id}:${hosts}` });

let network: Network;

beforeEach(() => {
  sessionStorage.clear();
  network = new Network(ask);
  network.begin("hub");
});

it.each(["localhost", "127.0.0.1", "[::1]", "printer.local", "a.localhost", "cdn.example.org:8443", "*.example.org", "CDN.example.org", "x", "", "a b.org"])("does not take %j for a host of the internet", (host) => {
  expect(isPublic(host)).toBe(false);
});

it("allows hosts to one output and to no other", async () => {
  await network.allow(output(1), ["cdn.example.org"]);
  expect(network.of(output(1))?.hosts).toEqual(["cdn.example.org"]);
  expect(network.of(output(2))).toBeNull();
  expect(network.of(output(1, "in another store"))).toBeNull();
});

it("allows more hosts besides, up to a number", async () => {
  await network.allow(output(1), ["a.org"]);
  await network.allow(output(1), ["a.org", "b.org"]);
  expect(network.of(output(1))?.hosts).toEqual(["a.org", "b.org"]);
  await network.allow(output(1), Array.from({ length: 99 }, (_, i) => `x${i}.org`));
  expect(network.of(output(1))?.hosts).toHaveLength(MOST_HOSTS);
});

it("takes back what it allowed", async () => {
  await network.allow(output(1), ["a.org"]);
  network.takeBack(output(1));
  expect(network.of(output(1))).toBeNull();
});

it("remembers for a reload of the tab, and for one hub only", async () => {
  await network.allow(output(1), ["a.org"]);
  const [again, elsewhere] = [new Network(ask), new Network(ask)];
  again.begin("hub");
  elsewhere.begin("another hub");
  expect(again.of(output(1))?.hosts).toEqual(["a.org"]);
  expect(elsewhere.of(output(1))).toBeNull();
});
