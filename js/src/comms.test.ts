import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { framesOf, Joiner, Relay, spoken, Texts, type CommsOptions, type Packet } from "./comms.ts";
import { decode, encode, MAX_FRAME, type Header } from "./protocol.ts";
import type { Socket } from "./sockets.ts";

const SESSION = "5".repeat(32);
const SHA = "a".repeat(64);

class FakeSocket {
  readyState = 1;
  bufferedAmount = 0;
  sent: (string | Uint8Array)[] = [];
  onopen?: () => void;
  onclose?: () => void;
  onmessage?: (event: { data: string | ArrayBuffer }) => void;

  send(frame: string | Uint8Array): void {
    this.sent.push(frame);
  }

  close(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  hears(header: Header, buffers: Uint8Array[] = []): void {
    const frame = encode(header, buffers);
    this.onmessage!({ data: typeof frame === "string" ? frame : (frame.buffer as ArrayBuffer) });
  }

  get headers(): Header[] {
    return this.sent.map((each) => decode(each).header);
  }
}

class FakePort {
  told: Packet[] = [];
  closed = false;
  onmessage: ((event: MessageEvent<unknown>) => void) | null = null;

  postMessage(packet: unknown): void {
    this.told.push(packet as Packet);
  }

  close(): void {
    this.closed = true;
  }

  says(header: Header, buffers: unknown[] = []): void {
    this.onmessage!({ data: { header, buffers } } as MessageEvent<unknown>);
  }

  get types(): string[] {
    return this.told.map(({ header }) => header.type);
  }
}

let sockets: FakeSocket[];
let port: FakePort;
let texts: Texts;

const options = (more: Partial<CommsOptions> = {}): CommsOptions => ({
  url: "ws://hub/ws/comms/pane",
  admit: async () => "t0",
  isOver: () => false,
  open: () => sockets[sockets.push(new FakeSocket()) - 1] as unknown as Socket,
  ...more,
});

async function relay(more: Partial<CommsOptions> = {}): Promise<Relay> {
  const made = new Relay(SESSION, port as unknown as MessagePort, texts, options(more));
  await vi.advanceTimersByTimeAsync(0);
  sockets.at(-1)?.onopen!();
  return made;
}

const update = (msg_id: string, state: object = { value: 1 }): Header => ({ type: "comm_msg", comm_id: "c", msg_id, data: { method: "update", state, buffer_paths: [] } });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

beforeEach(() => {
  vi.useFakeTimers();
  [sockets, port, texts] = [[], new FakePort(), new Texts(1000, 10)];
});
afterEach(() => void vi.useRealTimers());

it("follows the frame's own session", async () => {
  await relay();
  expect(sockets[0]!.headers).toEqual([{ type: "follow", protocol: 1, session: SESSION, has: [] }]);
});

it("opens no socket to a hub that does not know the token", async () => {
  const made = new Relay(SESSION, port as unknown as MessagePort, texts, options({ admit: async () => null }));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sockets).toEqual([]);
  made.end();
});

it("makes the frame's numbers its own, and maps them back", async () => {
  await relay();
  port.says(update("7"));
  const { msg_id } = sockets[0]!.headers[1]!;
  expect(msg_id).toMatch(/^[0-9a-f]{16}\.7$/);
  sockets[0]!.hears({ type: "status", parent: msg_id, execution_state: "idle" });
  sockets[0]!.hears({ type: "status", parent: "other.7", execution_state: "idle" });
  sockets[0]!.hears({ type: "comm_msg", comm_id: "c", data: {}, parent: msg_id });
  sockets[0]!.hears({ type: "comm_msg", comm_id: "c", data: {}, parent: "other.7" });
  expect(port.told.map(({ header }) => header.parent)).toEqual(["7", "7", null]);
});

it("tells the hub which model somebody looks at, also one that comes back", async () => {
  const made = await relay();
  const told = (n: number): unknown[] => sockets[n]!.headers.filter(({ type }) => type === "watch").map(({ comm_id }) => comm_id);
  port.says({ type: "view", comm_id: "c" });
  expect(told(0)).toEqual([]);
  made.watch(true);
  made.watch(true);
  expect(told(0)).toEqual(["c"]);
  sockets[0]!.close();
  await vi.advanceTimersByTimeAsync(60_000);
  sockets[1]!.hears({ type: "welcome" });
  expect(told(1)).toEqual(["c"]);
  made.watch(false);
  expect(told(1)).toEqual(["c", null]);
});

it("gives a text before the first message that refers to it, and once", async () => {
  await relay();
  const open = { type: "comm_open", comm_id: "c", data: {}, texts: { _esm: SHA } };
  sockets[0]!.hears({ type: "text", sha256: SHA }, [bytes("export")]);
  expect(port.told).toEqual([]);
  sockets[0]!.hears(open);
  sockets[0]!.hears({ ...open, comm_id: "d" });
  expect(port.types).toEqual(["text", "comm_open", "comm_open"]);
  expect(new TextDecoder().decode(port.told[0]!.buffers[0])).toBe("export");
});

it("shares texts with later frames, which name them as known", async () => {
  await relay();
  sockets[0]!.hears({ type: "text", sha256: SHA }, [bytes("export")]);
  port = new FakePort();
  await relay();
  expect(sockets[1]!.headers[0]!.has).toEqual([SHA]);
  texts.keep("b", new Uint8Array(1000)); // pushes it out
  sockets[1]!.hears({ type: "module", name: "bqplot", sha256: SHA });
  expect(port.types).toEqual(["text", "module"]);
});

it("gives each buffer memory of its own", async () => {
  await relay();
  sockets[0]!.hears({ type: "comm_msg", comm_id: "c", data: {} }, [new Uint8Array([1, 2]), new Uint8Array([3])]);
  expect(port.told[0]!.buffers.map((each) => [...new Uint8Array(each)])).toEqual([[1, 2], [3]]);
});

it("comes back after a break, says so, and knows what the frame has", async () => {
  await relay();
  sockets[0]!.hears({ type: "text", sha256: SHA }, [bytes("export")]);
  sockets[0]!.hears({ type: "module", name: "bqplot", sha256: SHA });
  sockets[0]!.close();
  expect(port.told.at(-1)!.header).toEqual({ type: "live", live: false });
  port.says(update("8"));
  await vi.advanceTimersByTimeAsync(300);
  sockets[1]!.onopen!();
  expect(sockets[1]!.headers).toEqual([{ type: "follow", protocol: 1, session: SESSION, has: [SHA] }]);
});

it("stays away once the session is over", async () => {
  await relay();
  sockets[0]!.hears({ type: "ended" });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(port.types).toEqual(["ended"]);
  expect(sockets).toHaveLength(1);
});

it("tells of a session that ended before anybody asked", async () => {
  await relay({ isOver: (session) => session === SESSION });
  sockets[0]!.hears({ type: "live", live: true });
  sockets[0]!.hears({ type: "live", live: false });
  expect(port.types).toEqual(["live", "live", "ended"]);
});

it("ends with its frame", async () => {
  const made = await relay();
  made.end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([port.closed, sockets.length, port.told]).toEqual([true, 1, []]);
});

it("cuts a frame off that sends without end", async () => {
  await relay();
  for (let n = 0; n < 3000; n++) port.onmessage!({ data: "noise" } as MessageEvent<unknown>);
  expect(port.told).toEqual([{ header: { type: "refused", reason: "it sent more messages than the pane takes" }, buffers: [] }]);
  expect(port.closed).toBe(true);
});

it("answers at once what cannot be sent", async () => {
  await relay();
  const state: Record<string, unknown> = {};
  state.self = state;
  port.says(update("9", state));
  expect(port.told.map(({ header }) => header)).toEqual([{ type: "status", parent: "9", execution_state: "idle" }]);
});

it("lets a frame say nothing where nobody may, and answers it", async () => {
  await relay({ speaks: () => false });
  sockets[0]!.hears({ type: "live", live: true });
  port.says(update("9"));
  expect(port.told.map(({ header }) => header)).toEqual([
    { type: "live", live: true, speaks: false },
    { type: "status", parent: "9", execution_state: "idle" },
  ]);
  expect(sockets[0]!.headers.map(({ type }) => type)).toEqual(["follow"]);
});

it.each([
  null,
  { header: update("1") },
  { header: { ...update("1"), type: "hello" }, buffers: [] },
  { header: { ...update("1"), type: "toString" }, buffers: [] },
  { header: { ...update("1"), comm_id: 7 }, buffers: [] },
  { header: { ...update("1"), data: "x" }, buffers: [] },
  { header: { ...update("1"), msg_id: "x".repeat(300) }, buffers: [] },
  { header: { ...update("1"), type: "comm_open" }, buffers: [] },
  { header: update("1"), buffers: ["x"] },
])("passes nothing on that a frame may not say (%#)", (packet) => {
  expect(spoken(packet)).toBeNull();
});

it("passes on known fields only, and views as what they are of", () => {
  const view = new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2);
  const message = spoken({ header: { ...update("1"), session: "another", buffers: [9] }, buffers: [view] })!;
  expect(Object.keys(message.header)).toEqual(["type", "comm_id", "msg_id", "data", "metadata"]);
  expect([...message.buffers[0]!]).toEqual([2, 3]);
});

it.each([[[] as Uint8Array[]], [[new Uint8Array(10), new Uint8Array(2 * MAX_FRAME)]]])("splits a long message into frames, and joins them (%#)", (buffers) => {
  const header = { type: "comm_msg", text: "ä".repeat(MAX_FRAME) };
  const frames = framesOf({ header, buffers })!;
  expect(frames.length).toBeGreaterThan(2);
  expect(frames.every((each) => each.length <= MAX_FRAME)).toBe(true);
  const joiner = new Joiner();
  const joined = frames.map((each) => joiner.take(each));
  expect(joined.slice(0, -1).every((each) => each === null)).toBe(true);
  expect(joined.at(-1)!.header.text).toBe(header.text);
  expect(joined.at(-1)!.buffers.map((each) => each.byteLength)).toEqual(buffers.map((each) => each.byteLength));
});
