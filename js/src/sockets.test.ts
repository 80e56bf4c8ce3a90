import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Line } from "./polling.ts";
import { Sockets, type Socket } from "./sockets.ts";

const URL_OF_PANE = "wss://lab.example.org/plots/ws/pane";

class Fake {
  readyState = 0;
  bufferedAmount = 0;
  binaryType = "";
  closed = 0;
  sent: unknown[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { reason: string }) => void) | null = null;

  send(frame: unknown): void {
    this.sent.push(frame);
  }

  opens(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  ends(reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ reason });
  }

  close(): void {
    this.closed++;
    this.ends();
  }
}

/** Sockets with all that they open, and what is heard of one of them. */
function made() {
  const websockets: (Fake & { protocols: string[] })[] = [];
  const lines: { base: string; token: string; isOver: boolean; paths: string[]; channels: Fake[] }[] = [];
  const sockets = new Sockets({
    webSocket: (_, protocols) => {
      websockets.push(Object.assign(new Fake(), { protocols }));
      return websockets.at(-1) as unknown as WebSocket;
    },
    line: (base, token) => {
      const line = { base, token, isOver: false, paths: [] as string[], channels: [] as Fake[] };
      lines.push(line);
      const open = (path: string) => (line.paths.push(path), line.channels[line.channels.push(new Fake()) - 1]);
      return Object.assign(line, { open }) as unknown as Line;
    },
  });
  return { sockets, websockets, lines };
}

function heard(socket: Socket) {
  const said: string[] = [];
  socket.onopen = () => said.push("open");
  socket.onmessage = ({ data }) => said.push(String(data));
  socket.onclose = ({ reason }) => said.push(`close ${reason}`);
  return said;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("is a WebSocket with the token as a sub-protocol, where that opens", () => {
  const { sockets, websockets, lines } = made();
  const socket = sockets.open(URL_OF_PANE, "t0");
  const said = heard(socket);
  websockets[0]!.opens();
  socket.send("x");
  websockets[0]!.onmessage!({ data: "y" });
  websockets[0]!.ends("over");
  expect(websockets[0]!.protocols).toEqual(["ipyweb", "ipyweb.token.t0"]);
  expect(websockets[0]!.sent).toEqual(["x"]);
  expect(said).toEqual(["open", "y", "close over"]);
  expect(lines).toEqual([]);
});

it("goes on over HTTP where a WebSocket never opens, and begins there from then on", () => {
  const { sockets, websockets, lines } = made();
  const said = heard(sockets.open(URL_OF_PANE, "t0"));
  websockets[0]!.ends();
  lines[0]!.channels[0]!.opens();
  sockets.open("wss://lab.example.org/plots/ws/comms/pane", "t0");
  expect(said).toEqual(["open"]);
  expect(websockets).toHaveLength(1);
  expect(lines).toHaveLength(1);
  expect([lines[0]!.base, lines[0]!.token]).toEqual(["https://lab.example.org/plots/", "t0"]);
  expect(lines[0]!.paths).toEqual(["ws/pane", "ws/comms/pane"]);
});

it("does so too where a proxy swallows it", () => {
  const { sockets, websockets, lines } = made();
  const said = heard(sockets.open(URL_OF_PANE, "t0"));
  vi.advanceTimersByTime(60_000);
  lines[0]!.channels[0]!.opens();
  expect(said).toEqual(["open"]);
  expect(websockets[0]!.closed).toBe(1);
});

it("says that it is closed where nothing opens, and tries both again", () => {
  const { sockets, websockets, lines } = made();
  for (const n of [0, 1]) {
    const said = heard(sockets.open(URL_OF_PANE, "t0"));
    websockets[n]!.ends();
    (lines[0]!.channels[n] ?? lines[n]!.channels[0])!.ends();
    expect(said).toEqual(["close "]);
  }
  expect(websockets).toHaveLength(2);
});

it("stays with WebSockets once one has opened", () => {
  const { sockets, websockets, lines } = made();
  sockets.open(URL_OF_PANE, "t0");
  websockets[0]!.opens();
  const said = heard(sockets.open(URL_OF_PANE, "t0"));
  websockets[1]!.ends();
  vi.advanceTimersByTime(60_000);
  expect(said).toEqual(["close "]);
  expect(lines).toEqual([]);
});

it("goes on with nothing once nobody wants it any more", () => {
  const { sockets, websockets, lines } = made();
  const socket = sockets.open(URL_OF_PANE, "t0");
  const said = heard(socket);
  socket.close();
  vi.advanceTimersByTime(60_000);
  expect([said, socket.readyState, websockets.length, lines.length]).toEqual([["close "], 3, 1, 0]);
});

it("takes another line where the old one is over, or has another token", () => {
  const { sockets, websockets, lines } = made();
  sockets.open(URL_OF_PANE, "t0");
  websockets[0]!.ends();
  lines[0]!.channels[0]!.opens();
  lines[0]!.isOver = true;
  sockets.open(URL_OF_PANE, "t0");
  sockets.open(URL_OF_PANE, "t1");
  expect(lines.map(({ token }) => token)).toEqual(["t0", "t0", "t1"]);
});
