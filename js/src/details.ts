/** What is known of where an output comes from, in rows for people. */
import { bytes, fate, longTime, sessionName } from "./people.ts";
import type { OutputRecord, SessionRecord } from "./protocol.ts";

export interface Row {
  name: string;
  text: string;
  /** Whether it is something typed: a path, a command. */
  code?: boolean;
}

type Known = [name: string, text: string | null | undefined, code?: boolean];

const rows = (known: readonly Known[]): Row[] => known.flatMap(([name, text, code]) => (text ? [{ name, text, code: code ?? false }] : []));

/** Where the code stands and what it was run in. */
export function origin({ source, project }: OutputRecord, session: SessionRecord | undefined): Row[] {
  const { git, argv, cwd, task, place } = source;
  const commit = git?.commit && `${git.commit.slice(0, 10)}${git.branch ? ` on ${git.branch}` : ""}${git.dirty ? ", with changes" : ""}`;
  return rows([
    ["Cell", source.cell === undefined || source.cell === null || source.cell === "" ? null : `In [${source.cell}]`],
    ["File", location(source), true],
    ["Command", argv?.join(" "), true],
    ["Directory", cwd, true],
    ["Project", project, true],
    ["Commit", commit],
    ["Task", task && [task.name, task.id !== task.name && task.id, task.worker && `on ${task.worker}`].filter(Boolean).join(", ")],
    ["Rank", place?.rank === undefined ? null : `${place.rank}${place.ranks ? ` of ${place.ranks}` : ""}${place.system ? `, ${place.system}` : ""}`],
    ["Job", place?.job],
    ["Worker", task?.worker ? null : place?.worker],
    ["Session", sessionName(session)],
    ["Machine", session?.host && [session.host, `process ${session.pid}`, fate(session)].filter(Boolean).join(", ")],
  ]);
}

/** With what it was made. */
export function makers({ source, seconds, figure }: OutputRecord, session: SessionRecord | undefined): Row[] {
  const took = seconds ?? figure?.seconds;
  return rows([
    ["Python", session?.python],
    ...Object.entries(source.versions ?? {}).map(([name, version]): Known => [name, version]),
    ["Drawn in", took ? `${took < 1 ? `${Math.round(1000 * took)} ms` : `${took.toFixed(1)} s`}` : null],
  ]);
}

export function facts(output: OutputRecord): Row[] {
  return rows([
    ["Number", String(output.id)],
    ["Shown", longTime(output.created)],
    ["Changed", output.version > 1 ? `${longTime(output.updated)}, version ${output.version}` : null],
    ["Size", bytes(output.size)],
    ["As made", output.figure && `${output.figure.size.map(Math.round).join(" × ")} pixels at ${output.figure.dpi} dpi`],
  ]);
}

/** What is said of its run: `run 7 of train.py: changed`. */
export function standing({ run }: OutputRecord): string {
  if (!run) return "";
  const change = run.previous === null ? "new" : run.changed === null ? "" : run.changed ? "changed" : "as before";
  return `Run ${run.number} of ${run.script.replace(/^.*[\\/]/, "")}${change && `: ${change}`}`;
}

/** What runs the script again that made an output, for a POSIX shell; `null` for what no script made. */
export function command({ source, run }: OutputRecord): string | null {
  if (!run || !source.argv) return null;
  const again = ["ipyweb", "run", run.script, ...source.argv.slice(1)].map(quoted).join(" ");
  return source.cwd ? `cd ${quoted(source.cwd)} && ${again}` : again;
}

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

export const location = ({ file, line }: OutputRecord["source"]): string | null => (file ? `${file}${line ? `:${line}` : ""}` : null);

/** The address that opens a file in an editor; nothing that would run in the page. */
export function editorUrl(template: string, file: string, line: number): string {
  const path = encodeURI(file.replaceAll("\\", "/")).replace(/[?#]/g, encodeURIComponent);
  const url = template.replace(/\/?\{file\}/, (found) => (found[0] === "/" && path.startsWith("/") ? path : found[0] === "/" ? `/${path}` : path)).replace("{line}", String(line));
  return /^\s*javascript:/i.test(url) ? "about:blank" : url;
}

/** Whether the bytes of a MIME type can be read as text. */
export const isReadable = (mime: string): boolean => /^text\/|json$|xml$|javascript$/.test(mime);
