import { afterEach, beforeEach, describe, expect, it, vi, type Mock } from "vitest";
import type { Packet } from "../comms.ts";
import type { Header } from "../protocol.ts";
import { Line, type LineEvents } from "./line.ts";
import type { Comm, Said } from "./opening.ts";

class FakePort {
  sent: Packet[] = [];
  onmessage: ((event: MessageEvent<Packet>) => void) | null = null;

  postMessage(packet: unknown): void {
    this.sent.push(packet as Packet);
  }
}

let port: FakePort;
let events: { [Name in keyof LineEvents]: Mock<LineEvents[Name]> };
let line: Line;

const hear = (header: Header, buffers: ArrayBuffer[] = []): void => port.onmessage!({ data: { header, buffers } } as MessageEvent<Packet>);
const opens = (comm_id: string, state: object = {}, more: object = {}): void =>
  hear({ type: "comm_open", comm_id, target_name: "jupyter.widget", data: { state, buffer_paths: [] }, ...more });
const updates = (comm_id: string, state: object, more: object = {}): void => hear({ type: "comm_msg", comm_id, data: { method: "update", state, buffer_paths: [] }, ...more });
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

/** A comm with a model that notes what it hears. */
function made(id: string): { comm: Comm; heard: Said[] } {
  const heard: Said[] = [];
  const comm = line.comm(line.openings.get(id)!);
  comm.on_msg((said) => heard.push(said));
  return { comm, heard };
}

beforeEach(() => {
  vi.useFakeTimers();
  port = new FakePort();
  events = { opened: vi.fn(), closed: vi.fn(), changed: vi.fn(), busy: vi.fn() };
  line = new Line(port as unknown as MessagePort, events);
});
afterEach(() => void vi.useRealTimers());

it("knows what is open once the hub has said everything", async () => {
  const filled = vi.fn();
  void line.filled.then(filled);
  hear({ type: "reset" });
  opens("a", { value: 1 });
  await settle();
  expect(filled).not.toHaveBeenCalled();
  hear({ type: "live", live: true });
  await settle();
  expect(filled).toHaveBeenCalled();
  expect(line.live).toBe(true);
  expect(line.openings.get("a")!.state).toEqual({ value: 1 });
});

it("keeps the state of a model that nobody has made up to date", () => {
  opens("a", { value: 1, other: 2 });
  updates("a", { value: 3 });
  updates("unknown", { value: 3 });
  expect(line.openings.get("a")!.state).toEqual({ value: 3, other: 2 });
});

it("keeps what is no part of a model's state until the model is made", async () => {
  opens("a");
  hear({ type: "comm_msg", comm_id: "a", data: { method: "custom", content: "draw" } });
  hear({ type: "comm_msg", comm_id: "unknown", data: { method: "custom", content: "draw" } });
  const { heard } = made("a");
  await settle();
  expect(heard.map(({ content }) => content.data.content)).toEqual(["draw"]);
});

it("gives a model its messages when it is there, in their order", async () => {
  opens("a");
  const comm = line.comm(line.openings.get("a")!);
  let ready!: () => void;
  comm.hold(new Promise<void>((resolve) => (ready = resolve)), Promise.resolve());
  const heard: unknown[] = [];
  comm.on_msg(({ content }) => heard.push(content.data.method));
  updates("a", { value: 3 });
  hear({ type: "comm_msg", comm_id: "a", data: { method: "custom", content: 1 } }, [new Uint8Array([5]).buffer]);
  await settle();
  expect(heard).toEqual([]);
  ready();
  await settle();
  expect(heard).toEqual(["update", "custom"]);
});

it("gives custom messages their buffers as views, and says whose an echo is", async () => {
  opens("a");
  const { heard } = made("a");
  hear({ type: "comm_msg", comm_id: "a", data: { method: "custom", content: 1 } }, [new Uint8Array([5]).buffer]);
  hear({ type: "comm_msg", comm_id: "a", data: { method: "echo_update", state: { value: 1 } }, parent: "4" });
  hear({ type: "comm_msg", comm_id: "a", data: { method: "echo_update", state: { value: 1 } }, parent: null });
  await settle();
  expect(heard[0]!.buffers[0]).toBeInstanceOf(DataView);
  expect(heard.map(({ parent_header }) => parent_header)).toEqual([{}, { msg_id: "4" }, {}]);
});

it("says as an update what is echoed while its model waits for nothing, and as an echo what it waits for", async () => {
  hear({ type: "live", live: true });
  opens("a");
  const { comm, heard } = made("a");
  const echo = (state: object, parent: string | null): void => hear({ type: "comm_msg", comm_id: "a", data: { method: "echo_update", state }, parent });
  const number = comm.send({ method: "update", state: { value: 5 } });
  echo({ value: 6, other: 1 }, null);
  hear({ type: "status", parent: number, execution_state: "idle" }); // another pane's update has taken its place
  echo({ value: 7 }, null);
  await settle();
  expect(heard.map(({ content }) => content.data)).toEqual([
    { method: "update", state: { other: 1 }, buffer_paths: [] },
    { method: "echo_update", state: { value: 6 }, buffer_paths: [] },
    { method: "update", state: { value: 7 }, buffer_paths: [] },
  ]);
});

it("goes on after a message that its model stumbles over", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  opens("a");
  const comm = line.comm(line.openings.get("a")!);
  const hears = vi.fn().mockRejectedValueOnce(new Error("no"));
  comm.on_msg(hears);
  updates("a", { value: 1 });
  updates("a", { value: 2 });
  await settle();
  expect(hears).toHaveBeenCalledTimes(2);
});

it("tells a model that its message was handled, and nobody else's", async () => {
  hear({ type: "live", live: true });
  opens("a");
  const { comm } = made("a");
  const status = vi.fn();
  const number = comm.send({ method: "update" }, { iopub: { status } });
  expect(port.sent[0]!.header).toMatchObject({ type: "comm_msg", comm_id: "a", msg_id: number });
  hear({ type: "status", parent: "99", execution_state: "idle" });
  expect(status).not.toHaveBeenCalled();
  hear({ type: "status", parent: number, execution_state: "idle" });
  hear({ type: "status", parent: number, execution_state: "idle" });
  expect(status).toHaveBeenCalledTimes(1);
  expect(status.mock.calls[0]![0]).toMatchObject({ content: { execution_state: "idle" } });
});

it("is busy when something is not handled for a while", async () => {
  hear({ type: "live", live: true });
  opens("a");
  const { comm } = made("a");
  const [first, second] = [comm.send({}), comm.send({})];
  await vi.advanceTimersByTimeAsync(299);
  expect(events.busy).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(events.busy).toHaveBeenLastCalledWith(true);
  hear({ type: "status", parent: first, execution_state: "idle" });
  expect(events.busy).toHaveBeenLastCalledWith(true);
  hear({ type: "status", parent: second, execution_state: "idle" });
  expect(events.busy).toHaveBeenLastCalledWith(false);
});

it.each([{ type: "live", live: false }, { type: "ended" }, { type: "refused", reason: "too much" }])("waits for no answer any more after %j", async (header) => {
  hear({ type: "live", live: true });
  opens("a");
  const { comm } = made("a");
  const status = vi.fn();
  comm.send({}, { iopub: { status } });
  hear(header);
  expect(status).toHaveBeenCalledTimes(1);
  comm.send({}, { iopub: { status } });
  expect(status).toHaveBeenCalledTimes(1);
  await settle();
  expect(status).toHaveBeenCalledTimes(2);
  expect(port.sent).toHaveLength(1);
});

it("takes everything anew: what is made is brought up to date, and what is gone is closed", async () => {
  opens("a");
  opens("b");
  hear({ type: "live", live: true });
  const [a, b] = [made("a"), made("b")];
  const closed = vi.fn();
  b.comm.on_close(closed);
  hear({ type: "live", live: false });
  hear({ type: "reset" });
  opens("a", { value: 9 });
  hear({ type: "live", live: true });
  await settle();
  expect(a.heard[0]!.content.data).toMatchObject({ method: "update", state: { value: 9 } });
  expect(closed).toHaveBeenCalledTimes(1);
  expect(events.closed).toHaveBeenCalledWith("b");
  expect([...line.openings.keys()]).toEqual(["a"]);
});

describe("once everything is said anew", () => {
  const begin = (): { comm: Comm; heard: Said[]; ended: Mock } => {
    opens("a");
    hear({ type: "live", live: true });
    const ended = vi.fn();
    const a = made("a");
    a.comm.on_close(ended);
    return { ...a, ended };
  };
  const order = { method: "custom", content: "draw" };

  it("keeps models that are all that their state says", () => {
    const { comm, ended } = begin();
    const number = comm.send(order);
    hear({ type: "status", parent: number, execution_state: "idle" });
    hear({ type: "reset" });
    opens("a");
    line.endLost();
    expect([line.losses, line.isOpen("a"), ended.mock.calls.length]).toEqual([0, true, 0]);
  });

  it.each([
    ["heard", () => hear({ type: "comm_msg", comm_id: "a", data: order })],
    ["said without an answer", (comm: Comm) => comm.send(order)],
  ])("lets go of models that %s more than that", async (_, speak) => {
    const { comm, heard, ended } = begin();
    speak(comm);
    await settle();
    heard.length = 0;
    hear({ type: "reset" });
    expect([line.losses, line.isOpen("a")]).toEqual([1, false]);
    const opening = line.opening("a");
    opens("a", { value: 1 });
    expect((await opening).state).toEqual({ value: 1 });
    hear({ type: "comm_msg", comm_id: "a", data: order });
    port.sent.length = 0;
    comm.send({});
    expect([line.isOpen("a"), port.sent, ended.mock.calls.length]).toEqual([true, [], 0]);
    const anew = made("a");
    await settle();
    expect([heard.length, anew.heard.length]).toEqual([0, 1]);
    line.endLost();
    line.endLost();
    expect(ended).toHaveBeenCalledTimes(1);
  });

  it("waits for no answer any more", () => {
    const { comm } = begin();
    const status = vi.fn();
    comm.send({ method: "update" }, { iopub: { status } });
    hear({ type: "reset" });
    expect(status).toHaveBeenCalledTimes(1);
  });
});

it("waits a while for a model that something refers to already", async () => {
  const [coming, never] = [line.opening("a"), line.opening("b")];
  const failed = expect(never).rejects.toThrow("no widget b");
  opens("a", { value: 1 });
  expect((await coming).state).toEqual({ value: 1 });
  await vi.advanceTimersByTimeAsync(10_000);
  await failed;
});

it("has the user's own modules, and says why it has not", () => {
  hear({ type: "text", sha256: "00" }, [new TextEncoder().encode("define()").buffer as ArrayBuffer]);
  hear({ type: "module", name: "bqplot", sha256: "00" });
  hear({ type: "module", name: "acme", sha256: null, reason: "install acme" });
  expect(line.module("bqplot").text).toBe("define()");
  expect(() => line.module("acme")).toThrow("install acme");
  expect(() => line.module("other")).toThrow("other");
});

it("knows whether it may say anything", () => {
  hear({ type: "live", live: true, speaks: false });
  expect(line.speaks).toBe(false);
  hear({ type: "live", live: true });
  expect(line.speaks).toBe(true);
});

it("waits for no answer to what was said on a comm that is closed", async () => {
  hear({ type: "live", live: true });
  opens("a");
  made("a").comm.send({});
  await vi.advanceTimersByTimeAsync(300);
  expect(events.busy).toHaveBeenLastCalledWith(true);
  hear({ type: "comm_close", comm_id: "a" });
  expect(events.busy).toHaveBeenLastCalledWith(false);
});

it("opens comms of the frame's own", async () => {
  hear({ type: "live", live: true });
  const comm = line.begin("jupyter.widget", "new");
  comm.open({ state: {} }, {}, { version: "2.1.0" });
  const heard: Said[] = [];
  comm.on_msg((said) => heard.push(said));
  updates("new", { value: 1 });
  await settle();
  expect(port.sent[0]!.header).toMatchObject({ type: "comm_open", comm_id: "new", target_name: "jupyter.widget", metadata: { version: "2.1.0" } });
  expect(heard).toHaveLength(1);
});
