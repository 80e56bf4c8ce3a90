/** Text with ANSI escape codes → runs of one style each. Colours are names or `#rrggbb`; other codes are left out. */
export interface Run {
  text: string;
  /** A palette index (0–15), or a CSS colour. */
  color: number | string | null;
  background: number | string | null;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  inverse: boolean;
  strike: boolean;
}

export type Style = Omit<Run, "text">;

const PLAIN: Style = { color: null, background: null, bold: false, dim: false, italic: false, underline: false, inverse: false, strike: false };

/** Control sequences (CSI), operating-system commands (OSC, such as links and titles), and the two-character rest. */
const ESCAPES = /\x1b\[([0-9;:?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]/g;

const SIMPLE: Record<number, Partial<Style>> = {
  0: PLAIN,
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  29: { strike: false },
  39: { color: null },
  49: { background: null },
};

/** Splits a text at its escape codes. */
export function parseAnsi(text: string): Run[] {
  const runs: Run[] = [];
  let style = PLAIN;
  let start = 0;
  const push = (end: number) => {
    if (end > start) runs.push({ ...style, text: text.slice(start, end) });
  };
  for (const match of text.matchAll(ESCAPES)) {
    push(match.index);
    start = match.index + match[0].length;
    if (match[2] === "m") style = apply(style, codes(match[1]!));
  }
  push(text.length);
  return runs;
}

/** The text without its escape codes. */
export const stripAnsi = (text: string): string => text.replace(ESCAPES, "");

function codes(parameters: string): number[] {
  return parameters.split(/[;:]/).map(Number);
}

function apply(style: Style, list: number[]): Style {
  let next = style;
  for (let i = 0; i < list.length; i++) {
    const code = list[i]!;
    const slot = code === 38 ? "color" : code === 48 ? "background" : null;
    if (slot) {
      const [color, used] = extended(list.slice(i + 1));
      next = { ...next, [slot]: color };
      i += used;
    } else next = { ...next, ...(SIMPLE[code] ?? palette(code)) };
  }
  return next;
}

/** The sixteen colours: 30–37 and 90–97 for the text, 40–47 and 100–107 behind it. */
function palette(code: number): Partial<Style> {
  const bright = code >= 90;
  const index = bright ? code - 82 : code - 30;
  if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) return { color: index };
  if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) return { background: index - 10 };
  return {};
}

/** A colour given as `5;n` or `2;r;g;b`, and how many numbers it took. */
function extended([mode, ...rest]: number[]): [number | string | null, number] {
  if (mode === 5) return [cube(rest[0] ?? 0), 2];
  if (mode === 2) return [`rgb(${rest.slice(0, 3).map((n) => n & 255).join(" ")})`, 4];
  return [null, 1];
}

/** One of xterm's 256 colours: 16 of the palette, a 6×6×6 cube, 24 greys. */
function cube(n: number): number | string {
  if (n < 16) return n;
  if (n >= 232) return `rgb(${[0, 0, 0].fill(8 + (n - 232) * 10).join(" ")})`;
  const level = (i: number) => (i === 0 ? 0 : 55 + i * 40);
  const i = n - 16;
  return `rgb(${[level(Math.floor(i / 36)), level(Math.floor(i / 6) % 6), level(i % 6)].join(" ")})`;
}
