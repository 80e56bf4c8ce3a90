import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Api, HubState, OutputList } from "./api.ts";
import { Config } from "./config.svelte.ts";
import { Feed } from "./feed.svelte.ts";
import { proof } from "./hello.ts";
import { Outputs } from "./outputs.svelte.ts";
import type { Changed, OutputRecord } from "./protocol.ts";
import { Settings } from "./settings.svelte.ts";

const FRAGMENT = { token: "secret", code: null, project: null, output: null };
const record = (id: number, project = "/p"): OutputRecord => ({ id, event: id, removed: null, project }) as OutputRecord;

/** A hub that holds outputs 1 to `count`, and what a pane asks of it. */
class Hub {
  count = 1500;
  event = 1500;
  knows = "secret";
  asked: (number | undefined)[] = [];

  started = "noon";
  state = async () => ({ hub: "h1", started: this.started, event: this.event, notices: ["the store is on NFS"] }) as unknown as HubState;
  settings = async () => ({ keys: { fly: ["f"] }, theme: "auto", filter: "off", filmstrip: "left", editor: "", stylesheet: null, problems: [] });
  sessions = async () => ({ sessions: [{ id: "s" }] });
  outputs = async ({ limit, before = this.count + 1 }: { limit: number; before?: number }): Promise<OutputList> => {
    this.asked.push(limit);
    const ids = Array.from({ length: Math.min(limit, before - 1) }, (_, i) => before - Math.min(limit, before - 1) + i);
    return { event: this.event, total: this.count, outputs: ids.map((id) => record(id)) };
  };
}

/** The other end of the pane's socket. */
class Socket {
  static last: Socket;
  readyState = 1;
  sent: string[] = [];
  onopen = () => {};
  onmessage = (_: { data: string }) => {};
  onclose = (_: { reason: string }) => {};

  constructor() {
    Socket.last = this;
    queueMicrotask(() => this.onopen());
  }
  send = (frame: string) => void this.sent.push(frame);
  close = () => this.onclose({ reason: "" });
  says = (changed: Partial<Changed>) => this.onmessage({ data: JSON.stringify({ type: "changed", ...changed }) });
}

let hub: Hub;
let outputs: Outputs;
let feed: Feed;
const events = { admitted: vi.fn(), begun: vi.fn(async () => {}), changed: vi.fn(), reset: vi.fn(), failed: vi.fn() };

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  sessionStorage.clear();
  hub = new Hub();
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("BroadcastChannel", undefined);
  vi.stubGlobal("fetch", async (url: URL) => {
    const nonce = url.searchParams.get("nonce")!;
    return Response.json({ hub: "h1", port: 1, proofs: { pane: proof(hub.knows, nonce, "h1", location.host, 1) } });
  });
  outputs = new Outputs();
  feed = new Feed(hub as unknown as Api, outputs, new Config(new Settings()), events);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const begin = async (): Promise<void> => {
  await feed.start(FRAGMENT);
  await vi.advanceTimersByTimeAsync(1000);
};

it("brings the newest page at once, and the older ones after it", async () => {
  await feed.start(FRAGMENT);
  await vi.advanceTimersByTimeAsync(0);
  expect([feed.phase, outputs.order.length, outputs.complete]).toEqual(["connected", 200, false]);
  expect(events.begun).toHaveBeenCalledExactlyOnceWith("h1");
  await vi.advanceTimersByTimeAsync(1000);
  expect([outputs.order.length, outputs.complete, hub.asked]).toEqual([1500, true, [200, 1000, 1000]]);
});

it("asks how the hub is once when it begins, and anew after each break", async () => {
  const state = vi.spyOn(hub, "state");
  await begin();
  expect(state).toHaveBeenCalledTimes(1);
  for (const times of [2, 3]) {
    Socket.last.close();
    await vi.advanceTimersByTimeAsync(1000);
    expect([feed.phase, state.mock.calls.length]).toEqual(["connected", times]);
  }
});

it("begins once where something is stored between its first two questions", async () => {
  const state = hub.state;
  hub.state = async () => ({ ...(await state()), event: hub.event - 1 });
  await begin();
  expect([feed.phase, feed.broke, hub.asked]).toEqual(["connected", null, [200, 1000, 1000]]);
});

it("tells of sessions, and what the hub and the config file have to say", async () => {
  await begin();
  expect([...feed.sessions.keys()]).toEqual(["s"]);
  expect(feed.notices).toEqual(["the store is on NFS", "Pane.keys: there is nothing called fly to do"]);
  feed.dismiss("the store is on NFS");
  expect(feed.notices).toHaveLength(1);
});

it("asks nothing of a hub that does not know the token", async () => {
  hub.knows = "another";
  await begin();
  expect([feed.phase, hub.asked]).toEqual(["no-token", []]);
});

it("asks a hub that does not answer again, with the same token", async () => {
  const answers = fetch;
  vi.stubGlobal("fetch", async () => Promise.reject(new Error("refused")));
  await feed.start(FRAGMENT);
  expect(feed.phase).toBe("reconnecting");
  vi.stubGlobal("fetch", answers);
  await vi.advanceTimersByTimeAsync(1500);
  expect(feed.phase).toBe("connected");
});

it("connects after a reload before the hub had answered, though the address has no token any more", async () => {
  const answers = fetch;
  vi.stubGlobal("fetch", () => new Promise(() => {}));
  void feed.start(FRAGMENT);
  vi.stubGlobal("fetch", answers);
  feed = new Feed(hub as unknown as Api, outputs, new Config(new Settings()), events);
  await feed.start({ ...FRAGMENT, token: null });
  await vi.advanceTimersByTimeAsync(500);
  expect(feed.phase).toBe("connected");
});

it("takes changes in, and goes on after the last of them when the connection broke", async () => {
  await begin();
  Socket.last.says({ event: 1501, outputs: [record(1501)] });
  hub.event = 1501;
  expect(outputs.current).toBe(1501);
  expect(events.changed).toHaveBeenCalledOnce();
  Socket.last.close();
  expect(feed.phase).toBe("reconnecting");
  await vi.advanceTimersByTimeAsync(1000);
  expect(feed.phase).toBe("connected");
  expect(JSON.parse(Socket.last.sent[0]!)).toEqual({ type: "subscribe", since: 1501 });
});

it("begins anew where the hub's store is another one", async () => {
  await begin();
  [hub.count, hub.event] = [3, 3];
  Socket.last.close();
  await vi.advanceTimersByTimeAsync(1000);
  expect(events.reset).toHaveBeenCalledOnce();
  expect([outputs.order, feed.phase, feed.broke]).toEqual([[1, 2, 3], "connected", "replaced"]);
});

it("tells for a while that the hub was started anew, and nothing of any other break", async () => {
  await begin();
  const breaks = async () => {
    Socket.last.close();
    await vi.advanceTimersByTimeAsync(1000);
    return feed.broke;
  };
  expect(await breaks()).toBeNull();
  hub.started = "one o'clock";
  expect(await breaks()).toBe("restarted");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(feed.broke).toBeNull();
});

it("stops fetching older ones when another project is spoken of", async () => {
  await feed.start(FRAGMENT);
  await vi.advanceTimersByTimeAsync(0);
  outputs.setProject("/p");
  await vi.advanceTimersByTimeAsync(1000);
  expect([hub.asked, outputs.complete]).toEqual([[200, 1000], false]);
  await feed.list();
  await vi.advanceTimersByTimeAsync(1000);
  expect(outputs.complete).toBe(true);
});
