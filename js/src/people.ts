/** How the pane writes things for people. */
import type { OutputRecord, SessionRecord } from "./protocol.ts";

/** Twelve hues apart from each other and from red, which means trouble. */
const HUES = [212, 150, 38, 280, 185, 330, 96, 250, 20, 168, 305, 60];

/** The hue of a session, the same in every pane. */
export function hue(session: string): number {
  let sum = 0;
  for (const character of session) sum = (sum * 31 + character.charCodeAt(0)) >>> 0;
  return HUES[sum % HUES.length]!;
}

/** The last part of a path. */
export const baseName = (path: string): string => path.replace(/[\\/]+$/, "").replace(/^.*[\\/]/, "") || path;

const TIMES = {
  clock: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  day: { day: "numeric", month: "short" },
  long: { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" },
} satisfies Record<string, Intl.DateTimeFormatOptions>;

/** Made once each, since that takes milliseconds. */
const formats = new Map<keyof typeof TIMES, Intl.DateTimeFormat>();

function format(time: Date, as: keyof typeof TIMES): string {
  if (!formats.has(as)) formats.set(as, new Intl.DateTimeFormat(undefined, TIMES[as]));
  return formats.get(as)!.format(time);
}

/** Hours and minutes of a time today, else the day. */
export function shortTime(iso: string, now = new Date()): string {
  const time = new Date(iso);
  return format(time, time.toDateString() === now.toDateString() ? "clock" : "day");
}

/** Date and time to the second. */
export const longTime = (iso: string): string => format(new Date(iso), "long");

/** Where the code that made an output stands, as far as known: `train.py:42`, `In [7]`. */
export function place({ source }: OutputRecord): string {
  if (source.cell !== undefined && source.cell !== null && source.cell !== "") return `In [${source.cell}]`;
  if (!source.file) return "";
  return source.line ? `${baseName(source.file)}:${source.line}` : baseName(source.file);
}

/** Which of many that run the same code made an output: `rank 3`, the task's name, the worker's. */
export function role({ source }: OutputRecord): string {
  const { task, place } = source;
  if (task?.name) return task.name;
  return place?.rank === undefined ? (place?.worker ?? "") : `rank ${place.rank}`;
}

/** What has become of a session; empty while it is there. */
export function fate(session: SessionRecord): string {
  if (session.connected) return "";
  if (session.ended === null) return "not connected";
  return session.lost ? "lost: it ended without a word" : "ended";
}

/** The name of a session, and what has become of it once it is over. */
export const sessionTitle = (session: SessionRecord): string => [sessionName(session), session.ended && fate(session)].filter(Boolean).join(", ");

export const sessionName = (session: SessionRecord | undefined): string => session?.name ?? session?.title ?? "";

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Bytes in units that people read: `640 B`, `1.2 MB`; a kB has 1024 of them. */
export function bytes(count: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, count)) / 10)));
  const value = count / 1024 ** power;
  return `${power > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}
