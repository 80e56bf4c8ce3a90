import { expect, it, vi } from "vitest";
import { Layer } from "./layer.ts";
import type { OutputRecord } from "./protocol.ts";
import type { LiveFigure } from "./renderers/figure.ts";
import type { Frame } from "./sandbox.ts";
import type { View } from "./view.ts";

const STAGE = { width: 800, height: 600 };
const FILL = { policy: "fill", custom: { width: 1, height: 1 } } as const;
const AS_MADE = { policy: "made", custom: { width: 1, height: 1 } } as const;

const view = (mime: string, more: Partial<OutputRecord> = {}): View => ({ mime, output: { id: 1, metadata: {}, data: {}, figure: null, ...more } as OutputRecord });

/** A layer that shows an element. */
function layer(of: View, name = "div"): Layer {
  const made = new Layer(of);
  made.element.append(document.createElement(name));
  return made;
}

function framed(mime: string): { send: ReturnType<typeof vi.fn>; of: Layer } {
  const send = vi.fn();
  const of = layer(view(mime), "iframe");
  of.frame = { send } as unknown as Frame;
  return { send, of };
}

it("calls its frame what the figure says in words, or else its output", () => {
  const { of } = framed("text/html");
  of.frame = { element: document.createElement("iframe") } as unknown as Frame;
  const names = [{ title: "Loss" }, { title: null }, { title: "Loss", figure: { description: "Loss by step" } as OutputRecord["figure"] }];
  const named = names.map((more) => {
    of.name(view("text/html", more).output);
    return of.frame!.element.title;
  });
  expect(named).toEqual(["Loss", "Output 1", "Loss by step"]);
});

it("lets the camera move nothing of what is not there yet, nor of what nobody can draw", () => {
  expect(new Layer(view("image/png")).content).toBeNull();
  expect(layer(view("application/x-nothing")).content).toBeNull();
});

it.each([
  ["image/png", "img", "picture"],
  ["text/plain", "pre", "flowing"],
] as const)("takes %s for what it is", (mime, name, kind) => {
  expect(layer(view(mime), name).content!.kind).toBe(kind);
});

it.each([
  ["image/svg+xml", "magnified"],
  ["text/html", "flowing"],
] as const)("takes %s in a frame for what it is", (mime, kind) => {
  expect(framed(mime).of.content!.kind).toBe(kind);
});

it("lays a picture out in its own size, and a figure in what the stage has", () => {
  const picture = layer(view("image/png", { metadata: { width: 200, height: 100 } }), "img").content!;
  expect(picture.layout(STAGE, FILL)).toMatchObject({ width: 200, height: 100 });
  const figure = { size: [640, 480], dpi: 100, default_size: true } as OutputRecord["figure"];
  const content = layer(view("image/png", { figure } as Partial<OutputRecord>), "img").content!;
  expect(content.layout(STAGE, FILL).width).toBeGreaterThan(640);
  expect(content.layout(STAGE, AS_MADE)).toMatchObject({ width: 640, height: 480 });
});

it("tells a frame whether a part of it is seen, and whether it is to fill its space", () => {
  const { send, of } = framed("image/svg+xml");
  of.content!.placed!({ zoom: 2, x: 0, y: 0 }, AS_MADE);
  expect(send.mock.calls.flat()).toEqual([{ type: "zoomed", on: true }, { type: "sizing", sizing: AS_MADE }]);
});

it("takes a newer version of the same MIME type only with the same network", () => {
  const { of } = framed("text/html");
  expect(of.takes(view("text/html", { version: 2 }), null)).toBe(true);
  expect(of.takes(view("text/html"), "c/frame.html?hosts=a")).toBe(false);
  expect(of.takes(view("text/plain"), null)).toBe(false);
  expect(layer(view("text/html")).takes(view("text/html"), null)).toBe(false);
});

it("leaves nothing going on when it ends", () => {
  const of = layer(view("image/png"), "img");
  const end = vi.fn();
  of.figure = { end } as unknown as LiveFigure;
  document.body.append(of.element);
  of.end();
  expect(end).toHaveBeenCalledOnce();
  expect(of.element.isConnected).toBe(false);
});
