import { expect, it } from "vitest";
import { parseAnsi, stripAnsi } from "./ansi.ts";

const colours = (text: string) => parseAnsi(text).map(({ text: part, color, background }) => [part, color, background]);

it("leaves plain text alone", () => {
  expect(colours("a <b>&amp;</b>")).toEqual([["a <b>&amp;</b>", null, null]]);
});

it("knows the sixteen colours, in front and behind", () => {
  expect(colours("\x1b[31mred\x1b[0m \x1b[97;44mwhite\x1b[39;49m end")).toEqual([
    ["red", 1, null], [" ", null, null], ["white", 15, 4], [" end", null, null],
  ]);
});

it("knows 256 colours and 24 bits", () => {
  expect(colours("\x1b[38;5;196ma\x1b[48;2;1;2;3mb\x1b[38;5;244mc\x1b[38;5;9md")).toEqual([
    ["a", "rgb(255 0 0)", null], ["b", "rgb(255 0 0)", "rgb(1 2 3)"], ["c", "rgb(128 128 128)", "rgb(1 2 3)"], ["d", 9, "rgb(1 2 3)"],
  ]);
});

it("knows weights and decorations", () => {
  const [run] = parseAnsi("\x1b[1;3;4;7;9mx");
  expect(run).toMatchObject({ bold: true, italic: true, underline: true, inverse: true, strike: true });
  expect(parseAnsi("\x1b[1mx\x1b[22my")[1]).toMatchObject({ bold: false });
});

it("lets no escape code through, whatever it means", () => {
  const text = "a\x1b[2Kb\x1b]8;;https://x\x07c\x1b]8;;\x07d\x1b[?25le\x1bMf";
  expect(stripAnsi(text)).toBe("abcdef");
  expect(parseAnsi(text).map((run) => run.text).join("")).toBe("abcdef");
});
