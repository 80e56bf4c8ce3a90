/** The page's own address: without its fragment the base of every other, and in the fragment what a reload should show. */
import { formatFragment } from "./token.ts";

/** The address without query and fragment. */
export const base = (): string => location.href.replace(/[?#].*$/, "");

/** The address of one of the hub's sockets. */
export const socketUrl = (path: string): string => new URL(path, base().replace(/^http/, "ws")).href;

/** The address that shows an output; with `null` whatever is the newest. */
export const addressOf = (output: number | null): string => `${base()}${formatFragment(output)}`;

/** Write into the address bar what a reload should show. */
export function point(output: number | null): void {
  if (formatFragment(output) !== location.hash) history.replaceState(null, "", addressOf(output));
}

/** Begin anew with what a fragment says. */
export function enter(hash: string): void {
  history.replaceState(null, "", base() + hash);
  location.reload();
}
