import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decode, encode, FrameError, type Header } from "./protocol.ts";

const FOLDER = `${import.meta.dirname}/../../tests/frames/`;

interface Golden {
  header: Header;
  buffers: string[];
}

const read = (path: string): string | Uint8Array => {
  const bytes = readFileSync(FOLDER + path);
  return path.endsWith(".txt") ? bytes.toString("utf8") : new Uint8Array(bytes);
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("golden frames", () => {
  const frames = readdirSync(FOLDER).filter((name) => /\.(?:txt|bin)$/.test(name));

  it.each(frames)("%s says what its JSON says", (file) => {
    const golden = JSON.parse(readFileSync(FOLDER + file.replace(/\.\w+$/, ".json"), "utf8")) as Golden;
    const { header, buffers } = decode(read(file));
    const { buffers: lengths, ...rest } = header;
    const { buffers: expected, ...wanted } = golden.header;
    expect(rest).toEqual(wanted);
    expect(buffers.map(hex)).toEqual(golden.buffers);
    if (expected !== undefined) expect(lengths).toEqual(expected);
  });

  it.each(frames)("%s is the same frame when it is encoded again", (file) => {
    const frame = read(file);
    const { header, buffers } = decode(frame);
    expect(decode(encode(header, buffers))).toEqual(decode(frame));
  });

  it.each(readdirSync(`${FOLDER}malformed`))("malformed/%s is refused", (file) => {
    expect(() => decode(read(`malformed/${file}`))).toThrow(FrameError);
  });
});

it("a message with buffers becomes a binary frame and comes back", () => {
  const frame = encode({ type: "comm_msg", é: "→" }, [new Uint8Array([1, 2]), new Uint8Array()]);
  const message = decode(frame);
  expect(message.header).toEqual({ type: "comm_msg", é: "→", buffers: [2, 0] });
  expect(message.buffers.map((each) => [...each])).toEqual([[1, 2], []]);
});
