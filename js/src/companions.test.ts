import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { companionsOf, librariesOf } from "./companions.ts";
import { decode, type DataRef, type OutputRecord } from "./protocol.ts";

const ref = (url: string): DataRef => ({ sha256: "", size: 1, url });
const output = (data: Record<string, DataRef>): OutputRecord => ({ data }) as OutputRecord;

it("reads the golden frame's companions, preludes in their order", () => {
  const frame = readFileSync(`${import.meta.dirname}/../../tests/frames/companions.bin`);
  const { header } = decode(new Uint8Array(frame));
  const { data } = header.content as { data: Record<string, DataRef> };
  const { assets, preludes } = companionsOf(output(data), "text/html");
  expect(assets.map(({ name }) => name)).toEqual(["https://cdn.example.org/lib-1.2.min.js?v=1"]);
  expect(preludes.map(({ type }) => type)).toEqual(["text/html", "application/javascript"]);
  expect(librariesOf(output(data), "application/vnd.plotly.v1+json")).toHaveLength(1);
});

it("takes no other MIME type for a companion", () => {
  const data = { "text/html": ref("a"), "application/vnd.ipyweb.prelude; n=0; type=text/x-evil": ref("b"), "application/vnd.ipyweb.other": ref("c") };
  expect(companionsOf(output(data), "text/html")).toEqual({ assets: [], preludes: [] });
});

it("prefers the user's own library to the pane's", () => {
  const plotly = "application/vnd.plotly.v1+json";
  expect(librariesOf(output({ [plotly]: ref("a") }), plotly)).toEqual([{ name: "plotly" }]);
  const own = { [plotly]: ref("a"), "application/vnd.ipyweb.asset; name=plotly": ref("c/1/2.bin") };
  expect(librariesOf(output(own), plotly)).toEqual([{ name: "plotly", url: "c/1/2.bin" }]);
  expect(companionsOf(output(own), plotly).assets).toEqual([]);
});

it("gives widgets what is theirs, and texts none of it", () => {
  const view = "application/vnd.jupyter.widget-view+json";
  const data = {
    [view]: ref("v"),
    "text/html": ref("h"),
    "application/vnd.ipyweb.widgets": ref("w"),
    "application/vnd.ipyweb.asset; name=text:00ff": ref("t"),
    "application/vnd.ipyweb.asset; name=module:@acme/bars": ref("m"),
    "application/vnd.ipyweb.asset; name=https://cdn.org/a.js": ref("a"),
  };
  const names = (mime: string) => companionsOf(output(data), mime).assets.map(({ name }) => name);
  expect(names(view)).toEqual(["text:00ff", "module:@acme/bars", "https://cdn.org/a.js"]);
  expect(names("text/html")).toEqual(["https://cdn.org/a.js"]);
  expect(companionsOf(output(data), view).widgets).toEqual(ref("w"));
  expect(companionsOf(output(data), "text/html").widgets).toBeUndefined();
});
