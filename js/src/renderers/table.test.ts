import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { byRichness, family, label } from "./table.ts";

const RICHNESS = JSON.parse(readFileSync(`${import.meta.dirname}/../../../tests/frames/richness.json`, "utf8")) as string[];

it("prefers MIME types in the order that the hub and the session know", () => {
  expect(byRichness([...RICHNESS].reverse())).toEqual(RICHNESS);
});

it.each(["v5", "v6", "v6.4.1"])("draws Vega and Vega-Lite %s in both spellings", (version) => {
  for (const spelling of [".", "+"]) {
    expect(family(`application/vnd.vega.${version}${spelling}json`).renderer).toBe("vega");
    expect(family(`application/vnd.vegalite.${version}${spelling}json`).renderer).toBe("vega");
  }
});

it("runs nothing in the shell but text and raster images", () => {
  const inShell = RICHNESS.filter((mime) => !mime.startsWith("application/vnd.ipyweb.") && family(mime).place === "shell");
  expect(inShell.every((mime) => /^(?:image\/(?!svg)|text\/plain|application\/x-unknown)/.test(mime))).toBe(true);
});

it("shows a MIME type that nobody knows as such, before its plain text", () => {
  expect(byRichness(["text/plain", "application/vnd.acme+json"])[0]).toBe("application/vnd.acme+json");
  expect(family("application/vnd.acme+json").renderer).toBe("unknown");
});

it("names MIME types shortly", () => {
  expect(["image/png", "application/vnd.vegalite.v6.json", "application/vnd.acme.thing"].map(label)).toEqual(["PNG", "Vega-Lite", "acme.thing"]);
});
