import { expect, it, vi } from "vitest";
import { Modules, type Amend, type Scope } from "./modules.ts";
import type { ModuleText } from "./opening.ts";

const run = vi.fn(async (_name: string, source: string, { define, require }: Scope) => {
  // a module's text, as the document would run it
  new Function("define", "require", "requirejs", source)(define, require, require);
});

const SCRIPTS = [{ name: "one.js", text: "globalThis.acme = 1" }, { name: "two.js", text: "globalThis.acme += 1" }];
const runGlobal = vi.fn(async (_name: string, source: string) => void new Function(source)());

function modules(texts: Record<string, string>, own: Record<string, unknown> = { "@jupyter-widgets/base": { base: true } }, amend?: Amend): Modules {
  const find = (name: string): ModuleText => {
    if (!(name in texts)) throw new Error(`${name}: not installed`);
    return { text: texts[name]!, scripts: name === "bars" ? SCRIPTS : [] };
  };
  run.mockClear();
  return new Modules(own, find, amend, run, runGlobal);
}

it("gives a module what it depends on", async () => {
  const made = modules({ bars: 'define(["@jupyter-widgets/base", "scales"], (base, scales) => ({ base, scales }))', scales: "define({ linear: 1 })" });
  expect(await made.load("bars")).toEqual({ base: { base: true }, scales: { linear: 1 } });
});

it("changes what a module says before anybody uses it", async () => {
  const made = modules({ bars: "define(() => ({ one: 1 }))", more: 'define(["bars"], (bars) => bars.one)' }, {}, { bars: (bars) => Object.assign(bars as object, { one: 2 }) });
  expect(await made.load("more")).toBe(2);
});

it("runs a module once, whoever asks", async () => {
  const made = modules({ bars: "define(() => ({}))" });
  const [one, other] = await Promise.all([made.load("bars"), made.load("bars")]);
  expect(one).toBe(other);
  expect(await made.load("nbextensions/bars/index")).toBe(one);
  expect(run).toHaveBeenCalledTimes(1);
});

it.each([
  ['define("bars", ["exports"], (exports) => { exports.one = 1 })'],
  ['define(["module", "exports"], (module, exports) => { exports.one = module.id === "bars" ? 1 : 0 })'],
  ["define((require, exports, module) => { exports.one = module.id.length - 3 })"],
  ['require.undef("bars"); define("bars", [], () => ({ one: 1 }))'],
  ["typeof define === 'function' && define.amd ? define([], () => ({ one: 1 })) : 0"],
])("takes %s", async (text) => {
  expect(await modules({ bars: text }).load("bars")).toEqual({ one: 1 });
});

it("knows names by a map, and gives what is loaded at once", async () => {
  const made = modules({
    bars: 'requirejs.config({ map: { "*": { "@acme/scales": "nbextensions/scales/index" } } }); define(["@acme/scales", "require"], (_, require) => ({ same: require("@acme/scales") }))',
    scales: "define({ linear: 1 })",
  });
  expect(await made.load("bars")).toEqual({ same: { linear: 1 } });
});

it("says why a module cannot be had", async () => {
  const made = modules({ bars: 'define(["jquery"], () => 1)', plain: "1 + 1", wrong: "throw new Error('broken')" });
  await expect(made.load("other")).rejects.toThrow("other: not installed");
  await expect(made.load("bars")).rejects.toThrow("jquery: not installed");
  await expect(made.load("plain")).rejects.toThrow("plain is no AMD module");
  await expect(made.load("wrong")).rejects.toThrow("broken");
});

it("runs what a module takes as given before it, once in a document", async () => {
  const text = "define(() => ({ acme: globalThis.acme }))";
  expect(await modules({ bars: text }).load("bars")).toEqual({ acme: 2 });
  expect(await modules({ bars: text }).load("bars")).toEqual({ acme: 2 });
  expect(runGlobal).toHaveBeenCalledTimes(2);
});
