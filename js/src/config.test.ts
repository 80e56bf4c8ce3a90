import { expect, it } from "vitest";
import type { PaneSettings } from "./api.ts";
import { Config } from "./config.svelte.ts";
import { Settings } from "./settings.svelte.ts";

const FILE: PaneSettings = { keys: {}, theme: "dark", filter: "off", filmstrip: "left", editor: "idea://{file}", stylesheet: null, problems: [] };

it("does as the user's config file says", () => {
  const settings = new Settings();
  const config = new Config(settings);
  config.adopt({ ...FILE, keys: { next: ["l"] }, stylesheet: "body { color: red }" });
  expect([config.keymap.meaning(["l"]), config.editor, settings.choice]).toEqual(["next", "idea://{file}", "dark"]);
  expect(document.adoptedStyleSheets).toHaveLength(1);
});

it("tells what is wrong in it: what the hub has found, and actions that there are not", () => {
  const config = new Config(new Settings());
  config.adopt({ ...FILE, keys: { fly: ["f"] }, problems: ["no such theme"] });
  expect(config.problems).toEqual(["no such theme", "Pane.keys: there is nothing called fly to do"]);
});
