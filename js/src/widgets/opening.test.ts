import { expect, it } from "vitest";
import { followers, modelsIn, putBuffers, stateOf, type Opening, type Source, type State } from "./opening.ts";

const view = (...bytes: number[]): DataView => new DataView(new Uint8Array(bytes).buffer);

it("puts buffers where their paths point, and nowhere else", () => {
  const state: State = { x: { dtype: "f4" }, list: [null, 1] };
  const paths = [["x", "value"], ["list", 0], ["top"], ["gone", "value"], ["x", "dtype", 0], [], "x", ["__proto__", "value"]];
  putBuffers(state, paths, paths.map((_, n) => view(n)));
  expect(state).toEqual({ x: { dtype: "f4", value: view(0) }, list: [view(1), 1], top: view(2) });
  expect(Object.keys({}.constructor.prototype as object)).toEqual([]);
});

it("takes malformed paths for none", () => {
  const state: State = {};
  putBuffers(state, "nonsense", [view(1)]);
  putBuffers(state, [["a"], ["b"]], [view(1)]);
  expect(state).toEqual({ a: view(1) });
});

it("puts long texts back in their places", () => {
  const header = { type: "comm_open", data: { state: { value: 1 }, buffer_paths: [["data"]] }, texts: { _esm: "00", _css: "ff" } };
  const state = stateOf(header, [new Uint8Array([7]).buffer], (name) => (name === "00" ? "export" : undefined));
  expect(state).toEqual({ value: 1, _esm: "export", _css: "", data: view(7) });
});

it("finds the models that a value refers to", () => {
  expect(modelsIn({ layout: "IPY_MODEL_a", children: ["IPY_MODEL_b", { deep: ["IPY_MODEL_c", "x", 7, null] }] })).toEqual(["a", "b", "c"]);
});

it("follows what is there with models that have no view, and no other", () => {
  const opening = (id: string, state: State): [string, Opening] => [id, { id, target: "jupyter.widget", metadata: {}, state }];
  const link = { _view_name: null, source: ["IPY_MODEL_a", "value"], target: ["IPY_MODEL_b", "value"] };
  const openings = new Map([opening("a", { _view_name: "SliderView" }), opening("link", link), opening("other", { ...link, source: ["IPY_MODEL_z", "value"], target: [] }), opening("box", { _view_name: "BoxView", children: ["IPY_MODEL_a"] })]);
  expect(followers({ openings } as unknown as Source, (id) => id === "a")).toEqual(["link"]);
});
