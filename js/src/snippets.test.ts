import { expect, it, vi } from "vitest";
import type { OutputRecord } from "./protocol.ts";
import { Snippets } from "./snippets.ts";

const output = (mime: string, text: string): OutputRecord => {
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response(text));
  return { mimetypes: [mime], data: { [mime]: { sha256: `${mime} ${text}`, url: "https://hub/x" } } } as unknown as OutputRecord;
};

it.each([
  ["text/plain", "a  b\n1  2", "a  b\n1  2"],
  ["text/plain", "<Figure at 0x7f>", ""],
  ["text/plain", "\x1b[31mred\x1b[0m", "red"],
  ["text/html", "<style>p {}</style><b>Bold</b> words", "Bold words"],
  ["text/html", "<p>words that go on and on until they reach the edge</p>", "words that go on and on until \nthey reach the edge"],
  ["application/json", '{"rate":0.1,"layers":[64,64,1],"optimizer":"adam"}', '{"rate":0.1,"layers":[64,64,1],\n"optimizer":"adam"}'],
  ["application/json", "1".repeat(40), `${"1".repeat(32)}\n${"1".repeat(8)}`],
])("takes the beginning of %s: %j", async (mime, text, snippet) => {
  expect(await Snippets.of(output(mime, text))).toBe(snippet);
});

it("takes no more lines than there is room for", async () => {
  expect((await Snippets.of(output("text/html", "words ".repeat(150)))).split("\n")).toHaveLength(12);
});
