import { describe, expect, it, vi } from "vitest";
import { decode, encode } from "./protocol.ts";
import { isForFigure, keyOf, notchesOf, pointOn, Reach, type Picture, type ReachEvents } from "./reach.ts";
import type { Socket } from "./sockets.ts";

class FakeSocket {
  readyState = 1;
  binaryType = "";
  readonly sent: Record<string, unknown>[] = [];
  onopen?: () => void;
  onmessage?: (event: { data: string | ArrayBuffer }) => void;
  onclose?: (event: { reason: string }) => void;

  constructor(readonly url: string, readonly token: string) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.readyState = 3;
    this.onclose?.({ reason: "" });
  }

  say(header: { type: string; [field: string]: unknown }, ...buffers: Uint8Array[]): void {
    const frame = encode(header, buffers);
    this.onmessage?.({ data: typeof frame === "string" ? frame : (frame.slice().buffer as ArrayBuffer) });
  }
}

const SIZE = { width: 800, height: 600, dpi: 100 };
const PLAIN = { ctrlKey: false, altKey: false, shiftKey: false, metaKey: false };
const DRAGGING = { ...PLAIN, button: 0, buttons: 1 };

const settled = () => new Promise((resolve) => setTimeout(resolve));

/** A copy that is there, with what is heard of it, and the frames of a screen. */
async function reached(token: string | null = "secret") {
  let socket!: FakeSocket;
  const frames: (() => void)[] = [];
  const pictures: Picture[] = [];
  const events = {
    reached: vi.fn(), cursor: vi.fn(), message: vi.fn(), history: vi.fn(), mode: vi.fn(), band: vi.fn(), kept: vi.fn(), refused: vi.fn(), gone: vi.fn(),
    paint: vi.fn(async (picture: Picture) => void pictures.push(picture)),
  } satisfies ReachEvents;
  const reach = new Reach(17, 2, SIZE, {
    url: "ws://hub/ws/reach",
    admit: () => Promise.resolve(token),
    open: (url, token) => (socket = new FakeSocket(url, token)) as unknown as Socket,
    frame: (then) => void frames.push(then),
  }, events);
  await settled();
  if (token !== null) {
    socket.onopen!();
    socket.say({ type: "reached", keeps: true });
  }
  const nextFrame = () => frames.splice(0).forEach((then) => then());
  return { reach, socket, events, pictures, nextFrame, said: () => socket.sent.slice(1) };
}

describe("reaching into a figure", () => {
  it("begins with which version of which output, and its size", async () => {
    const { socket, events } = await reached();
    expect(socket.token).toBe("secret");
    expect(socket.sent).toEqual([{ type: "reach", protocol: 1, output: 17, version: 2, ...SIZE }]);
    expect(events.reached).toHaveBeenCalledWith(true);
  });

  it("sends movements once per frame of the screen, the newest, and before what comes after them", async () => {
    const { reach, said, nextFrame } = await reached();
    for (const x of [1, 2, 3]) reach.hover({ x, y: 5 }, PLAIN);
    expect(said()).toEqual([]);
    nextFrame();
    expect(said()).toEqual([{ type: "motion_notify", x: 3, y: 5, button: 0, buttons: 0, step: 0, modifiers: [] }]);
    reach.hover({ x: 4, y: 5 }, PLAIN);
    reach.press("button_press", { x: 4, y: 5 }, DRAGGING);
    nextFrame();
    expect(said().slice(1).map(({ type, x }) => [type, x])).toEqual([["motion_notify", 4], ["button_press", 4]]);
  });

  it("adds up the notches of a wheel within a frame, within bounds", async () => {
    const { reach, said, nextFrame } = await reached();
    for (const step of [1, 1, 0.5]) reach.scroll({ x: 1, y: 2 }, step, PLAIN);
    nextFrame();
    for (let turn = 0; turn < 20; turn++) reach.scroll({ x: 1, y: 2 }, -1, PLAIN);
    nextFrame();
    expect(said().map(({ type, step }) => [type, step])).toEqual([["scroll", 2.5], ["scroll", -5]]);
  });

  it("paints pictures in their order, put together from pieces, and acknowledges each once it is painted", async () => {
    const { socket, pictures, events, said } = await reached();
    let painted!: () => void;
    events.paint.mockImplementationOnce((picture) => new Promise((resolve) => (painted = () => resolve(void pictures.push(picture)))));
    socket.say({ type: "frame", size: [800, 600], at: [0, 0], mime: "image/png", last: false }, new Uint8Array([1, 2]));
    socket.say({ type: "frame", size: [800, 600], at: [0, 0], mime: "image/png", last: true }, new Uint8Array([3]));
    socket.say({ type: "frame", size: [800, 600], at: [10, 20], mime: "image/jpeg", last: true }, new Uint8Array([4]));
    await settled();
    expect(said()).toEqual([]);
    painted();
    await settled();
    expect(said()).toEqual([{ type: "ack" }, { type: "ack" }]);
    expect(pictures.map(({ at, part }) => [at, part.type])).toEqual([[{ x: 0, y: 0 }, "image/png"], [{ x: 10, y: 20 }, "image/jpeg"]]);
    expect(new Uint8Array(await pictures[0]!.part.arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]));
  });

  it("tells what WebAgg says, with the band counted from the upper edge", async () => {
    const { socket, events } = await reached();
    socket.say({ type: "frame", size: [800, 600], at: [0, 0], mime: "image/png", last: true }, new Uint8Array([1]));
    socket.say({ type: "cursor", cursor: "move" });
    socket.say({ type: "message", message: "(x, y)" });
    socket.say({ type: "history_buttons", Back: true, Forward: false });
    socket.say({ type: "navigate_mode", mode: "ZOOM" });
    socket.say({ type: "rubberband", x0: 350, y0: 400, x1: 200, y1: 250 });
    socket.say({ type: "rubberband", x0: -1, y0: -1, x1: -1, y1: -1 });
    socket.say({ type: "something_new" });
    expect(events.cursor).toHaveBeenCalledWith("move");
    expect(events.message).toHaveBeenCalledWith("(x, y)");
    expect(events.history).toHaveBeenCalledWith(true, false);
    expect(events.mode).toHaveBeenCalledWith("ZOOM");
    expect(events.band.mock.calls).toEqual([[{ x: 200, y: 200, width: 150, height: 150 }], [null]]);
  });

  it("asks for another size only when it is one", async () => {
    const { reach, said } = await reached();
    reach.resize({ ...SIZE });
    reach.resize({ ...SIZE, width: 400 });
    expect(said()).toEqual([{ type: "resize", ...SIZE, width: 400 }]);
  });

  it("says which version a kept view is, or why it was not kept", async () => {
    const { reach, socket, events, said } = await reached();
    reach.keep();
    expect(said()).toEqual([{ type: "keep" }]);
    socket.say({ type: "kept", version: 3 });
    socket.say({ type: "refused", reason: "no" });
    expect(events.kept).toHaveBeenCalledWith(3);
    expect(events.refused).toHaveBeenCalledWith("no");
  });

  it("tells once that the copy is gone, and says nothing more", async () => {
    const { reach, socket, events, said } = await reached();
    socket.say({ type: "gone", reason: "it crashed" });
    socket.say({ type: "cursor", cursor: "move" });
    reach.tool("home");
    expect(events.gone.mock.calls).toEqual([["it crashed"]]);
    expect(events.cursor).not.toHaveBeenCalled();
    expect(said()).toEqual([]);
  });

  it("tells that the connection was lost, and that the hub let nobody in", async () => {
    const lost = await reached();
    lost.socket.onclose!({ reason: "" });
    expect(lost.events.gone).toHaveBeenCalledWith("the connection to the hub was lost");
    expect((await reached(null)).events.gone).toHaveBeenCalledOnce();
  });

  it("is gone when a picture cannot be shown, or makes no sense", async () => {
    const broken = await reached();
    broken.events.paint.mockRejectedValueOnce(new Error("no PNG"));
    broken.socket.say({ type: "frame", size: [800, 600], at: [0, 0], mime: "image/png", last: true }, new Uint8Array([1]));
    await settled();
    expect(broken.events.gone).toHaveBeenCalledWith("a picture could not be shown: no PNG");
    const wrong = await reached();
    wrong.socket.say({ type: "frame", size: "large", at: [0, 0], mime: "image/png", last: true }, new Uint8Array([1]));
    expect(wrong.events.gone).toHaveBeenCalledOnce();
  });

  it("says nothing after it was left", async () => {
    const { reach, events } = await reached();
    reach.end();
    expect(events.gone).not.toHaveBeenCalled();
  });
});

describe("what the user does", () => {
  it("names keys as WebAgg does", () => {
    expect(keyOf({ ...PLAIN, key: "p" })).toBe("kp");
    expect(keyOf({ ...PLAIN, key: "G", shiftKey: true })).toBe("shift+kG");
    expect(keyOf({ ...PLAIN, key: "Shift", shiftKey: true })).toBe("kShift");
  });

  it("leaves the pane the keys that mean nothing to matplotlib, and all with modifiers", () => {
    const event = (key: string, held = {}) => ({ ...PLAIN, key, ...held }) as KeyboardEvent;
    expect(["h", "p", "o", "g", "Home", "Backspace", "x"].filter((key) => !isForFigure(event(key)))).toEqual([]);
    expect(["z", "?", "Delete", "Tab", "F5", "d"].filter((key) => isForFigure(event(key)))).toEqual([]);
    expect(isForFigure(event("p", { ctrlKey: true }))).toBe(false);
  });

  it("counts places in the canvas's own pixels", () => {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 1600, height: 1200 });
    canvas.getBoundingClientRect = () => ({ left: 100, top: 50, width: 800, height: 600 }) as DOMRect;
    expect(pointOn(canvas, { clientX: 300, clientY: 150 })).toEqual({ x: 400, y: 200 });
  });

  it("turns a factor of zoom into notches", () => {
    expect(notchesOf(1)).toBeCloseTo(0);
    expect(notchesOf(1 / 0.85)).toBeCloseTo(1);
  });

  it("reads frames of the hub as they are", () => {
    expect(decode(encode({ type: "gone", reason: "no" }) as string).header.reason).toBe("no");
  });
});
