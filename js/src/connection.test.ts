import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Connection, delay, type ConnectionOptions, type Status } from "./connection.ts";
import type { Socket } from "./sockets.ts";

class FakeSocket {
  static made: FakeSocket[] = [];
  readyState = 0;
  sent: unknown[] = [];
  onopen?: () => void;
  onclose?: () => void;
  onmessage?: (event: { data: string }) => void;

  constructor(
    readonly url: string,
    readonly token: string,
  ) {
    FakeSocket.made.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  async opens(): Promise<void> {
    this.readyState = 1;
    this.onopen?.();
    await vi.advanceTimersByTimeAsync(0);
  }
}

const last = (): FakeSocket => FakeSocket.made.at(-1)!;

function connect(options: Partial<ConnectionOptions> = {}) {
  const seen: { statuses: Status[]; changed: unknown[]; notices: string[] } = { statuses: [], changed: [], notices: [] };
  const connection = new Connection({
    url: "ws://127.0.0.1:1/ws/pane",
    token: "t0",
    verify: () => Promise.resolve(true),
    since: () => Promise.resolve(7),
    changed: (changed) => seen.changed.push(changed),
    notice: (message) => seen.notices.push(message),
    status: (status) => seen.statuses.push(status),
    open: (url, token) => new FakeSocket(url, token) as unknown as Socket,
    ...options,
  });
  connection.start();
  return { connection, ...seen };
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
});
afterEach(() => void vi.useRealTimers());

it("opens a socket with the token and subscribes after the last event known", async () => {
  const { statuses } = connect();
  expect(last().token).toBe("t0");
  await last().opens();
  expect(last().sent).toEqual([{ type: "subscribe", since: 7 }]);
  expect(statuses).toEqual(["connecting", "connected"]);
});

it("says that somebody looks when the tab comes back", async () => {
  const { connection } = connect();
  connection.hurry();
  expect(last().sent).toEqual([]);
  await last().opens();
  connection.hurry();
  expect(last().sent.at(-1)).toEqual({ type: "look" });
});

it("passes on what changed and what the hub has to say", async () => {
  const { changed, notices } = connect();
  await last().opens();
  last().onmessage!({ data: '{"type":"changed","event":8,"outputs":[],"sessions":[]}' });
  last().onmessage!({ data: '{"type":"notice","message":"storage is full"}' });
  expect(changed).toEqual([{ type: "changed", event: 8, outputs: [], sessions: [] }]);
  expect(notices).toEqual(["storage is full"]);
});

it("reconnects for ever, with a challenge before each attempt", async () => {
  const verify = vi.fn().mockRejectedValueOnce(new Error("nobody there")).mockRejectedValueOnce(new Error("nobody there")).mockResolvedValue(true);
  const { statuses } = connect({ verify });
  await last().opens();
  last().close();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(verify).toHaveBeenCalledTimes(3);
  expect(FakeSocket.made).toHaveLength(2);
  await last().opens();
  expect(statuses).toEqual(["connecting", "connected", "reconnecting", "connected"]);
});

it("sends nothing to a hub that does not know the token", async () => {
  const { statuses } = connect({ verify: () => Promise.resolve(false) });
  await last().opens();
  last().close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeSocket.made).toHaveLength(1);
  expect(statuses.at(-1)).toBe("refused");
});

it("tries at once when it is hurried", async () => {
  const { connection } = connect();
  await last().opens();
  last().close();
  connection.hurry();
  await vi.advanceTimersByTimeAsync(0);
  expect(FakeSocket.made).toHaveLength(2);
});

it("stays ended", async () => {
  const { connection } = connect();
  await last().opens();
  connection.end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeSocket.made).toHaveLength(1);
});

it("waits from a fifth of a second up to ten seconds, half of it at random", () => {
  expect([0, 1, 2, 10].map((attempt) => delay(attempt, () => 1))).toEqual([200, 400, 800, 10_000]);
  expect(delay(10, () => 0)).toBe(5000);
});
