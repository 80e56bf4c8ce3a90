/**
 * Everything that can be done in the pane, in one table: keys, help, palette and menus all come from it.
 *
 * It names what a `Pane` does and imports nothing of it.
 */
import { command, location } from "./details.ts";
import { Keymap } from "./keys.ts";
import type { Pane } from "./pane.svelte.ts";
import type { Comparison } from "./screen.svelte.ts";
import { kindOf, type Search } from "./search.svelte.ts";

export type Group = "Go" | "Look" | "Find" | "Compare" | "Versions" | "Runs" | "Take" | "Tidy" | "Pane";

export const GROUPS: readonly Group[] = ["Go", "Find", "Look", "Compare", "Versions", "Runs", "Take", "Tidy", "Pane"];

interface Entry {
  name: string;
  /** What it does, in the words of a menu. */
  says: string;
  group: Group;
  /** Chords as `keys.ts` writes them. */
  keys: readonly string[];
  run(pane: Pane): void;
  /** Whether it changes what others see, or leads to other outputs: not every link may. */
  changes?: true;
  others?: true;
  /** Whether it can be done now; absent: always. */
  when?(pane: Pane): boolean;
  /** Whether it is what is chosen now, of several or of on and off. */
  checked?(pane: Pane): boolean;
}

const some = ({ outputs }: Pane): boolean => outputs.order.length > 0;

const placed = ({ outputs }: Pane): boolean => !!outputs.shown?.source.file;

const rerunnable = ({ outputs }: Pane): boolean => !!outputs.shown && command(outputs.shown) !== null;

const versioned = ({ outputs }: Pane): boolean => (outputs.shown?.version ?? 1) > 1;

/** Whether there are others in its stack: versions of it, or what its call site has shown in other runs. */
const stacked = (pane: Pane): boolean => versioned(pane) || !!pane.outputs.shown?.run;

const going = (pane: Pane): boolean => some(pane) && pane.screen.comparing === null;

const searchable = (pane: Pane): boolean => some(pane) || pane.search.open;

const zooms = ({ stage }: Pane): boolean => stage?.viewport.magnification != null;

/** Whether a figure is shown that can be reached into. */
export const reachable = ({ view, screen }: Pane): boolean => !!view?.output.figure && view.mime === "image/png" && !screen.gallery && !screen.comparing;

const near = (a: number, b: number): boolean => Math.abs(a - b) < 0.005;

/** An item of the zoom menu. */
const zoomTo = <Name extends string>(name: Name, size: number) => ({
  name, says: `${100 * size} %`, group: "Look", keys: [], when: zooms,
  run: ({ stage }: Pane) => stage?.viewport.zoomTo(size),
  checked: ({ stage }: Pane) => near(stage?.viewport.magnification ?? 0, size),
} as const);

const compare = <Name extends string>(name: Name, says: string, keys: readonly string[], how: Comparison) => ({
  name, says, keys, group: "Compare", when: ({ outputs }: Pane) => outputs.order.length > 1 || outputs.listed !== outputs.current,
  run: ({ screen }: Pane) => screen.compare(screen.comparing === how ? null : how), checked: ({ screen }: Pane) => screen.comparing === how,
} as const);

/** A filter of the search: what it should be for the output shown, and what it is when it is off. */
const narrow = <Name extends string, Field extends "pinned" | "kind" | "session" | "age">(
  name: Name, says: string, field: Field, wanted: (pane: Pane) => Search[Field], off: Search[Field],
) => ({
  name, says, group: "Find", others: true, keys: [], when: ({ outputs }: Pane) => !!outputs.shown,
  run: (pane: Pane) => {
    const on = pane.search[field] === off;
    pane.search[field] = on ? wanted(pane) : off;
    pane.screen.startSearch();
  },
  checked: ({ search }: Pane) => search[field] !== off,
} as const);

const TABLE = [
  { name: "previous", says: "Previous output", group: "Go", keys: ["ArrowLeft", "ArrowUp", "k"], when: going, run: ({ outputs }) => outputs.step(-1) },
  { name: "next", says: "Next output", group: "Go", keys: ["ArrowRight", "ArrowDown", "j", "l"], when: going, run: ({ outputs }) => outputs.step(1) },
  { name: "back", says: "Ten back", group: "Go", keys: ["PageUp"], when: going, run: ({ outputs }) => outputs.step(-10) },
  { name: "forward", says: "Ten on", group: "Go", keys: ["PageDown"], when: going, run: ({ outputs }) => outputs.step(10) },
  { name: "first", says: "First output", group: "Go", keys: ["Home"], when: going, run: ({ outputs }) => outputs.first() },
  { name: "newest", says: "Newest output, and follow", group: "Go", keys: ["n", "End"], when: going, run: ({ outputs }) => outputs.newest() },
  { name: "first-new", says: "First of what came while you were away", group: "Go", keys: ["Shift+n"], when: ({ outputs }) => outputs.news > 0, run: ({ outputs }) => outputs.select(outputs.firstNew!) },
  { name: "search", says: "Search", group: "Find", others: true, keys: ["/"], when: searchable, run: ({ screen }) => screen.startSearch() },
  narrow("search-pinned", "Find only what is pinned", "pinned", () => true, false),
  narrow("search-kind", "Find only outputs of this kind", "kind", ({ outputs }) => kindOf(outputs.shown!), ""),
  narrow("search-session", "Find only outputs of this session", "session", ({ outputs }) => outputs.shown!.session, ""),
  narrow("search-day", "Find only outputs of the last 24 hours", "age", () => "1", ""),
  {
    name: "everything", says: "Outputs of all projects", group: "Find", others: true, keys: [], when: ({ ownProject }) => ownProject !== null,
    run: (pane) => void pane.showEverything(pane.outputs.project !== null), checked: ({ outputs }) => outputs.project === null,
  },
  { name: "search-end", says: "End the search", group: "Find", keys: [], when: ({ search }) => search.open, run: ({ screen }) => screen.endSearch() },
  {
    name: "mark", says: "Mark, or take the mark away", group: "Compare", keys: ["m"], when: some,
    run: ({ marks, outputs }) => marks.toggle(outputs.current!), checked: ({ marks, outputs }) => marks.has(outputs.current ?? 0),
  },
  { name: "mark-previous", says: "Mark on, backwards", group: "Compare", keys: ["Shift+ArrowLeft", "Shift+ArrowUp"], when: some, run: (pane) => pane.markOn(-1) },
  { name: "mark-next", says: "Mark on", group: "Compare", keys: ["Shift+ArrowRight", "Shift+ArrowDown"], when: some, run: (pane) => pane.markOn(1) },
  compare("compare", "Compare the marked, or with the one before", ["v"], "side"),
  compare("blink", "Compare by blinking", [], "blink"),
  compare("difference", "Compare by what differs", ["Shift+v"], "difference"),
  {
    name: "take-out", says: "Take it out of the comparison", group: "Compare", keys: [], when: ({ screen, stage }) => screen.comparing !== null && !!stage?.shown,
    run: ({ marks, stage }) => marks.toggle(stage!.shown!.output.id),
  },
  { name: "gallery", says: "Gallery of everything", group: "Look", keys: ["g"], when: some, run: ({ screen }) => screen.toggleGallery(), checked: ({ screen }) => screen.gallery },
  { name: "version-before", says: "Version before, or the run before", group: "Versions", keys: ["["], when: stacked, run: (pane) => pane.stepVersion(-1) },
  { name: "version-after", says: "Version after, or the run after", group: "Versions", keys: ["]"], when: stacked, run: (pane) => pane.stepVersion(1) },
  { name: "play", says: "Play the versions", group: "Versions", keys: ["."], when: versioned, run: (pane) => pane.playVersions() },
  {
    name: "link-versions", says: "All outputs in the same step", group: "Versions", keys: [],
    run: ({ scrubber }) => void (scrubber.linked = !scrubber.linked), checked: ({ scrubber }) => scrubber.linked,
  },
  { name: "copy", says: "Copy the picture", group: "Take", keys: ["c"], when: some, run: ({ clipboard }) => void clipboard.copyPicture() },
  { name: "copy-markdown", says: "Copy as Markdown", group: "Take", keys: ["Shift+c"], when: some, run: ({ clipboard }) => void clipboard.copyAs("markdown") },
  { name: "copy-html", says: "Copy as HTML", group: "Take", keys: [], when: some, run: ({ clipboard }) => void clipboard.copyAs("html") },
  { name: "copy-data-uri", says: "Copy as a data URI", group: "Take", keys: [], when: some, run: ({ clipboard }) => void clipboard.copyAs("data-uri") },
  { name: "save-png", says: "Save as PNG, as seen", group: "Take", keys: ["p"], when: some, run: ({ files }) => void files.savePicture("png") },
  { name: "save-svg", says: "Save as SVG, as seen", group: "Take", keys: ["s"], when: some, run: ({ files }) => void files.savePicture("svg") },
  { name: "export", says: "Export in another size or format, or several…", group: "Take", keys: ["e"], when: some, run: ({ screen }) => void (screen.dialog = "export") },
  { name: "save", says: "Save what is stored", group: "Take", keys: [], when: some, run: ({ seeing, files }) => void (seeing?.shown && files.save(seeing.shown)) },
  { name: "copy-place", says: "Copy the path of its file", group: "Take", others: true, keys: [], when: placed, run: (pane) => void pane.clipboard.copyText(location(pane.outputs.shown!.source)!, "the path") },
  { name: "edit-source", says: "Open its file in the editor", group: "Take", others: true, keys: [], when: placed, run: (pane) => pane.editSource() },
  { name: "open-tab", says: "Open in a tab of its own", group: "Take", keys: ["o"], when: some, run: (pane) => pane.openTab() },
  { name: "copy-code", says: "Copy the code", group: "Take", keys: [], when: ({ outputs }) => !!outputs.shown?.source.code, run: (pane) => void pane.clipboard.copyText(pane.outputs.shown!.source.code!, "the code") },
  {
    name: "copy-command", says: "Copy the command that runs it again", group: "Take", keys: [], when: rerunnable,
    run: (pane) => void pane.clipboard.copyText(command(pane.outputs.shown!)!, "the command"),
  },
  { name: "rename", says: "Rename…", group: "Tidy", changes: true, keys: ["r"], when: some, run: ({ screen }) => void (screen.dialog = "rename") },
  { name: "note", says: "Write a note…", group: "Tidy", changes: true, keys: ["a"], when: some, run: ({ screen }) => void (screen.dialog = "note") },
  { name: "pin", says: "Pin: never removed for age or size", group: "Tidy", changes: true, keys: ["b"], when: some, run: (pane) => void pane.togglePin(), checked: ({ outputs }) => outputs.shown?.pinned ?? false },
  { name: "remove", says: "Remove the output", group: "Tidy", changes: true, keys: ["Delete", "x", "d", "Backspace"], when: some, run: ({ trash }) => void trash.remove() },
  { name: "zoom-in", says: "Zoom in", group: "Look", keys: ["+", "="], when: zooms, run: ({ stage }) => stage?.viewport.step(1) },
  { name: "zoom-out", says: "Zoom out", group: "Look", keys: ["-", "_"], when: zooms, run: ({ stage }) => stage?.viewport.step(-1) },
  { name: "zoom-reset", says: "Zoom back", group: "Look", keys: ["0"], when: zooms, run: ({ stage }) => stage?.viewport.home() },
  zoomTo("zoom-50", 0.5), zoomTo("zoom-75", 0.75), zoomTo("zoom-100", 1), zoomTo("zoom-150", 1.5), zoomTo("zoom-200", 2),
  {
    name: "size-toggle", says: "As made, or filling the stage", group: "Look", keys: ["1"],
    run: ({ lens }) => void (lens.policy = lens.sizing.policy === "made" ? "fill" : "made"),
  },
  { name: "size-fill", says: "Fill the stage", group: "Look", keys: [], run: ({ lens }) => void (lens.policy = "fill"), checked: ({ lens }) => lens.sizing.policy === "fill" },
  { name: "size-made", says: "As made", group: "Look", keys: [], run: ({ lens }) => void (lens.policy = "made"), checked: ({ lens }) => lens.sizing.policy === "made" },
  { name: "size-custom", says: "Size of my own…", group: "Look", keys: [], run: ({ screen }) => void (screen.dialog = "size"), checked: ({ lens }) => lens.sizing.policy === "custom" },
  { name: "dark-off", says: "Plots in their own colours", group: "Look", keys: [], run: ({ settings }) => void (settings.filter = "off"), checked: ({ settings }) => settings.filter === "off" },
  { name: "dark-on", says: "Plots darkened", group: "Look", keys: [], run: ({ settings }) => void (settings.filter = "on"), checked: ({ settings }) => settings.filter === "on" },
  { name: "dark-follow", says: "Plots darkened in the dark theme", group: "Look", keys: [], run: ({ settings }) => void (settings.filter = "follow"), checked: ({ settings }) => settings.filter === "follow" },
  { name: "dark-next", says: "Darken plots: off, on, with the theme", group: "Look", keys: ["Shift+t"], run: (pane) => pane.nextFilter() },
  { name: "mime-next", says: "Show it as its next MIME type", group: "Look", keys: [], when: ({ view }) => (view?.output.mimetypes.length ?? 0) > 1, run: (pane) => pane.nextMime() },
  { name: "stop", says: "Stop the output, which does not answer", group: "Look", keys: [], when: ({ stage }) => !!stage?.stuck, run: ({ stage }) => stage!.stop() },
  {
    name: "reach", says: "Reach in: pan, zoom, turn", group: "Look", keys: ["z"], when: reachable,
    run: ({ screen }) => void (screen.reaching = !screen.reaching), checked: ({ screen }) => screen.reaching,
  },
  { name: "details", says: "Details: where it comes from", group: "Look", keys: ["i"], when: some, run: ({ screen }) => void (screen.detailing = !screen.detailing), checked: ({ screen }) => screen.detailing },
  { name: "changes", says: "What changed since the run before", group: "Runs", others: true, keys: ["w"], run: (pane) => void pane.showChanges() },
  { name: "runs", says: "Runs of scripts…", group: "Runs", others: true, keys: ["Shift+r"], run: ({ screen }) => screen.showRuns(null) },
  { name: "network", says: "Network of this output…", group: "Look", changes: true, keys: [], when: some, run: ({ screen }) => void (screen.dialog = "network") },
  { name: "present", says: "Full screen, with nothing else", group: "Look", keys: ["f"], when: some, run: ({ screen }) => screen.present(!screen.presenting), checked: ({ screen }) => screen.presenting },
  { name: "undo", says: "Bring back what was removed last", group: "Tidy", changes: true, keys: ["u", "Mod+z"], run: ({ trash }) => void trash.undo() },
  { name: "clear", says: "Remove all that is listed", group: "Tidy", others: true, changes: true, keys: ["Alt+d"], when: some, run: ({ trash }) => void trash.clear() },
  { name: "clear-session", says: "Remove all of this session", group: "Tidy", others: true, changes: true, keys: [], when: some, run: ({ trash }) => void trash.clearSession() },
  { name: "trash", says: "Trash and storage…", group: "Tidy", others: true, changes: true, keys: [], run: ({ screen }) => void (screen.dialog = "trash") },
  { name: "filmstrip", says: "Hide or show the filmstrip", group: "Pane", keys: ["h"], run: ({ settings }) => settings.toggleStrip(), checked: ({ settings }) => settings.strip !== "hidden" },
  { name: "strip-left", says: "Filmstrip on the left", group: "Pane", keys: [], run: ({ settings }) => void (settings.strip = "left"), checked: ({ settings }) => settings.strip === "left" },
  { name: "strip-right", says: "Filmstrip on the right", group: "Pane", keys: [], run: ({ settings }) => void (settings.strip = "right"), checked: ({ settings }) => settings.strip === "right" },
  { name: "strip-bottom", says: "Filmstrip at the bottom", group: "Pane", keys: [], run: ({ settings }) => void (settings.strip = "bottom"), checked: ({ settings }) => settings.strip === "bottom" },
  { name: "stack-runs", says: "Runs of a script stacked", group: "Pane", others: true, keys: [], run: ({ settings }) => void (settings.stacked = !settings.stacked), checked: ({ settings }) => settings.stacked },
  { name: "theme", says: "Light, dark, as the system", group: "Pane", keys: ["t"], run: ({ settings }) => settings.nextTheme() },
  { name: "help", says: "All keys and actions", group: "Pane", keys: ["?"], run: ({ screen }) => void (screen.dialog = "help") },
  { name: "palette", says: "Do anything by its name", group: "Pane", keys: ["Mod+k"], run: ({ screen }) => void (screen.dialog = "palette") },
  { name: "leave", says: "Close what is open; take the keys back from an output", group: "Pane", keys: ["Escape"], run: ({ screen }) => screen.leave() },
] as const satisfies readonly Entry[];

export type ActionName = (typeof TABLE)[number]["name"];
export type Action = Entry & { name: ActionName };

export const ACTIONS: readonly Action[] = TABLE;

const BY_NAME = new Map(ACTIONS.map((each) => [each.name, each] as const));

export const action = (name: ActionName): Action => BY_NAME.get(name)!;

/** Whether the pane's link may do an action at all. */
export const offered = (each: Action, { feed }: Pane): boolean => (feed.changes || !each.changes) && (feed.others || !each.others);

/** Whether an action can be done now. */
export const applies = (each: Action, pane: Pane): boolean => offered(each, pane) && (each.when?.(pane) ?? true);

/** Actions whose words begin with all of `words`, in any order; else those that contain them. */
export function find(actions: readonly Action[], words: string): Action[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = (matches: (text: string, word: string) => boolean) =>
    actions.filter(({ says, group }) => wanted.every((word) => matches(` ${says} ${group}`.toLowerCase(), word)));
  const begins = matching((text, word) => text.includes(` ${word}`));
  return begins.length > 0 ? begins : matching((text, word) => text.includes(word));
}

/** Keys by the name of an action, where the user has others than the table. */
export type Bindings = Readonly<Record<string, readonly string[]>>;

/** What keys mean: the user's own before those of the table. */
export function keymapOf(own: Bindings = {}): Keymap<ActionName> {
  const bound = ACTIONS.map((each) => ({ name: each.name, keys: own[each.name] ?? each.keys }));
  return new Keymap([...bound.filter(({ name }) => !own[name]), ...bound.filter(({ name }) => own[name])]);
}
