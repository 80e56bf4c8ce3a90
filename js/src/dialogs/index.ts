/** The dialogs, each loaded when it is first opened. */
import type { Component } from "svelte";
import type { Pane } from "../pane.svelte.ts";
import type { Dialog } from "../screen.svelte.ts";

export type DialogComponent = Component<{ pane: Pane }>;

const DIALOGS: Record<Dialog, () => Promise<{ default: DialogComponent }>> = {
  help: () => import("./Help.svelte"),
  palette: () => import("./Palette.svelte"),
  export: () => import("./Export.svelte"),
  runs: () => import("./Runs.svelte"),
  network: () => import("./Network.svelte"),
  trash: () => import("./Trash.svelte"),
  size: () => import("./Size.svelte"),
  rename: () => import("./Naming.svelte"),
  note: () => import("./Naming.svelte"),
};

/** Load what is opened most, so that it opens at once. */
export function warm(): void {
  for (const load of [DIALOGS.palette, DIALOGS.help, () => import("../components/Menu.svelte")]) void load().catch(() => {});
}

export const load = async (name: Dialog): Promise<DialogComponent> => (await DIALOGS[name]()).default;
