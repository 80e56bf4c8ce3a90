import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { ACTIONS } from "./actions.ts";
import { shownChord } from "./keys.ts";

const README = readFileSync(resolve(import.meta.dirname, "../../README.md"), "utf8");

it.each(ACTIONS.filter(({ keys }) => keys.length > 0).map((each) => [each.name, each] as const))("the README has the keys of %s", (_, { name, keys, says }) => {
  const shown = keys.map((key) => `<kbd>${shownChord(key, false)}</kbd>`).join(" ");
  expect(README).toContain(`| ${shown} | ${says} | \`${name}\` |`);
});
