import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Line, pack, unpack, type LineRecord } from "./polling.ts";
import type { Socket } from "./sockets.ts";

const kind = (letter: string): number => letter.charCodeAt(0);
const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const said = ([channel, letter, payload]: LineRecord): string => `${channel}${String.fromCharCode(letter)}${new TextDecoder().decode(payload)}`;

type Answer = { status?: number; body?: LineRecord[] | string };

/** A hub that answers when it is told to. */
class Hub {
  readonly asked: { method: string; path: string; records: string[]; token: string; answer(answer: Answer): void; fail(): void }[] = [];

  readonly fetch = (async (url: URL, { method = "GET", body, headers, signal }: RequestInit) => {
    const bytes = body instanceof Blob ? await body.arrayBuffer() : new ArrayBuffer(0);
    return new Promise<Response>((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason as Error));
      this.asked.push({
        method,
        path: `${url.pathname}${url.search}`,
        records: unpack(bytes).map(said),
        token: new Headers(headers).get("X-Ipyweb-Token") ?? "",
        answer: ({ status = 200, body = "{}" }) => {
          resolve(new Response(typeof body === "string" ? body : new Blob(body.map(pack)), { status }));
        },
        fail: () => reject(new TypeError("network")),
      });
    });
  }) as unknown as typeof fetch;

  /** The newest request of a kind. */
  last(method: string) {
    return this.asked.findLast((each) => each.method === method)!;
  }

  count(method: string): number {
    return this.asked.filter((each) => each.method === method).length;
  }
}

const settled = () => vi.advanceTimersByTimeAsync(0);
const later = () => vi.advanceTimersByTimeAsync(30_000);

function heard(socket: Socket) {
  const words: string[] = [];
  socket.onopen = () => words.push("open");
  socket.onmessage = ({ data }) => words.push(typeof data === "string" ? data : `bytes ${new Uint8Array(data).join()}`);
  socket.onclose = ({ reason }) => words.push(`close ${reason}`);
  return words;
}

/** A line with one channel that is open. */
async function opened() {
  const hub = new Hub();
  const line = new Line("https://lab/plots/", "t0", hub.fetch);
  const channel = line.open("ws/pane");
  const words = heard(channel);
  await settled();
  hub.last("POST").answer({ body: '{"line":"L"}' });
  await settled();
  hub.last("POST").answer({});
  hub.last("GET").answer({ body: [[1, kind("o"), text("")]] });
  await settled();
  return { hub, line, channel, words };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

it("opens a line and a channel on it, and waits", async () => {
  const { hub, words, channel } = await opened();
  expect(hub.asked.map(({ method, path, records }) => [method, path, ...records])).toEqual([
    ["POST", "/plots/poll"],
    ["GET", "/plots/poll/L?after=0&seconds=20"],
    ["POST", "/plots/poll/L?first=0", "1ows/pane"],
    ["GET", "/plots/poll/L?after=1&seconds=20"],
  ]);
  expect(new Set(hub.asked.map(({ token }) => token))).toEqual(new Set(["t0"]));
  expect([words, channel.readyState]).toEqual([["open"], 1]);
});

it("brings frames, text and bytes, to their channel", async () => {
  const { hub, line, words } = await opened();
  const other = heard(line.open("ws/reach"));
  hub.last("GET").answer({ body: [[1, kind("t"), text("é")], [2, kind("o"), text("")], [2, kind("b"), new Uint8Array([1, 2])], [9, kind("t"), text("?")]] });
  await settled();
  expect(words).toEqual(["open", "é"]);
  expect(other).toEqual(["open", "bytes 1,2"]);
  expect(hub.last("GET").path).toBe("/plots/poll/L?after=5&seconds=20");
});

it("sends what was said meanwhile together, in order, one request after the other", async () => {
  const { hub, channel } = await opened();
  channel.send("a");
  await settled();
  channel.send("b");
  channel.send(new Uint8Array([99]));
  await settled();
  expect(hub.last("POST").records).toEqual(["1ta"]);
  expect(channel.bufferedAmount).toBe(30);
  hub.last("POST").answer({});
  await settled();
  expect([hub.last("POST").path, ...hub.last("POST").records]).toEqual(["/plots/poll/L?first=2", "1tb", "1bc"]);
});

it("never puts more into a request than proxies take", async () => {
  const { hub, channel } = await opened();
  for (let n = 0; n < 3; n++) channel.send(new Uint8Array(600_000));
  await settled();
  expect(hub.last("POST").records).toHaveLength(1);
});

it.each([["a gateway that fails", (hub: Hub) => hub.last("GET").answer({ status: 504, body: "<html>" })], ["a cut", (hub: Hub) => hub.last("GET").fail()]])(
  "asks again after %s, from where it was, and less patiently",
  async (_, breaks) => {
    const { hub, words } = await opened();
    breaks(hub);
    await later();
    expect(hub.last("GET").path).toBe("/plots/poll/L?after=1&seconds=10");
    hub.last("GET").answer({ body: [[1, kind("t"), text("x")]] });
    await settled();
    expect(words).toEqual(["open", "x"]);
  },
);

it("sends again what may not have come", async () => {
  const { hub, channel } = await opened();
  channel.send("a");
  await settled();
  hub.last("POST").fail();
  await later();
  expect([hub.last("POST").path, ...hub.last("POST").records]).toEqual(["/plots/poll/L?first=1", "1ta"]);
});

it.each([403, 404, 400])("is over with all channels where the hub answers %i", async (status) => {
  const { hub, line, words, channel } = await opened();
  hub.last("GET").answer({ status });
  await settled();
  expect([words, channel.readyState, line.isOver]).toEqual([["open", "close "], 3, true]);
});

it("is over where nothing answers for long", async () => {
  const { hub, words } = await opened();
  for (let n = 0; n < 5; n++) {
    hub.last("GET").fail();
    await later();
  }
  expect(words).toEqual(["open", "close "]);
});

it("is over where no line can be opened", async () => {
  const hub = new Hub();
  const words = heard(new Line("https://lab/", "t0", hub.fetch).open("ws/pane"));
  await settled();
  hub.last("POST").answer({ status: 503 });
  await settled();
  expect(words).toEqual(["close "]);
});

it("tells why a channel was closed, and lets the line go with the last one", async () => {
  const { hub, line, words } = await opened();
  hub.last("GET").answer({ body: [[1, kind("c"), text('{"code":4429,"reason":"too many"}')]] });
  await settled();
  expect(words).toEqual(["open", "close too many"]);
  expect(line.isOver).toBe(true);
  expect(hub.last("DELETE").path).toBe("/plots/poll/L");
});

it("says which channel is left while others stay", async () => {
  const { hub, line, channel, words } = await opened();
  line.open("ws/reach");
  await settled();
  hub.last("POST").answer({});
  await settled();
  channel.close();
  await settled();
  expect(words).toEqual(["open", "close "]);
  expect(hub.last("POST").records).toEqual(["1c"]);
  expect(line.isOver).toBe(false);
});

it("lets the hub know when the page goes", async () => {
  const { hub, words } = await opened();
  globalThis.dispatchEvent(new Event("pagehide"));
  await settled();
  expect(hub.count("DELETE")).toBe(1);
  expect(words).toEqual(["open", "close "]);
});
