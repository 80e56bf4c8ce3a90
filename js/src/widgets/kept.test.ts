import { expect, it } from "vitest";
import { KeptWidgets } from "./kept.ts";
import type { Said } from "./opening.ts";

const bytes = (text: string): ArrayBuffer => new TextEncoder().encode(text).buffer as ArrayBuffer;
const model = (state: object, more: object = {}) => ({ model_name: "AnyModel", model_module: "anywidget", model_module_version: "~0.11", state, buffers: [], texts: {}, ...more });

const kept = (): KeptWidgets => {
  const drawn = { messages: [{ data: { method: "custom", content: "draw" }, buffers: [btoa("\u0001")] }] };
  const state = { b: model({}, drawn), a: model({ value: 3, data: {} }, { buffers: [{ path: ["data", "x"], encoding: "base64", data: btoa("\u0001\u0002") }], texts: { _esm: "00" } }) };
  const assets = [
    { name: "text:00", content: bytes("export default {}") },
    { name: "module:anywidget", content: bytes("define()") },
  ];
  return new KeptWidgets(bytes(JSON.stringify({ version_major: 2, version_minor: 0, state })), { assets, preludes: [] });
};

it("has the last state, with its buffers and texts in their places", async () => {
  const { state } = await kept().opening("a");
  expect(state).toMatchObject({ value: 3, _esm: "export default {}" });
  expect((state.data as { x: DataView }).x.getUint8(1)).toBe(2);
});

it("has the modules that were kept, and answers nothing", async () => {
  expect(kept().module("anywidget").text).toBe("define()");
  expect(() => kept().module("bqplot")).toThrow("bqplot was not kept");
  expect(kept().comm(kept().openings.get("a")!)).toBeUndefined();
  await expect(kept().opening("c")).rejects.toThrow("c was not kept");
});

it("tells a model again what has drawn it", async () => {
  const said = await new Promise<Said>((resolve) => kept().comm(kept().openings.get("b")!)!.on_msg(resolve));
  expect(said.content.data).toEqual({ method: "custom", content: "draw" });
  expect(said.buffers[0]!.getUint8(0)).toBe(1);
});
