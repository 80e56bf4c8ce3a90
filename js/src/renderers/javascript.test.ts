import { expect, it } from "vitest";
import { definedModule } from "./javascript.ts";

it.each([
  ['define("email", ["@jupyter-widgets/base"], (base) => ({}))', "email"],
  ['// as before\nrequire.undef("email");\n\ndefine(\'email\', [], () => 1)', "email"],
  ['requirejs.undef("email")\ndefine("email", {})', "email"],
  ["define([], () => 1)", undefined],
  ['element.append("define(\'email\')")', undefined],
  ['const n = 1; define("email", [], () => n)', undefined],
])("knows what %s defines", (source, name) => {
  expect(definedModule(source)).toBe(name);
});
