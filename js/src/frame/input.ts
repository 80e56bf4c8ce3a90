/** What the user does inside a frame and the output does not use: keys for the pane, and links to elsewhere. */
import { chordsOf, isTyping } from "../keys.ts";
import { cut, type FromFrame } from "./channel.ts";

type Send = (message: FromFrame) => void;

/** The chords that mean something to the pane. */
let wanted: ReadonlySet<string> = new Set();

export function wantKeys(chords: readonly string[]): void {
  wanted = new Set(chords);
}

/** The side towards which a key scrolls, as [x, y]. */
const SCROLLS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
  PageUp: [0, -1], PageDown: [0, 1], Home: [0, -1], End: [0, 1],
};

/**
 * Listen on the window, after all the output's own listeners. `document.open()` takes every listener away, so this is
 * called again after it.
 */
export function forwardInput(send: Send): void {
  addEventListener("keydown", (event) => forwardKey(event, send));
  addEventListener("click", (event) => forwardLink(event, send));
}

function forwardKey(event: KeyboardEvent, send: Send): void {
  const chord = chordsOf(event).find((each) => wanted.has(each));
  if (chord === undefined || (isTyping(event.target) && isText(chord))) return;
  const side = SCROLLS[event.key];
  if (side && (canScroll(event.target as Element, side) || (event.repeat && scrolls(side)))) return;
  event.preventDefault();
  send({ type: "key", chord });
}

/** Whether a chord may be meant for a text: all but Escape and those with Ctrl or Cmd. */
const isText = (chord: string): boolean => chord !== "Escape" && !chord.startsWith("Mod+");

/** Whether anything from `target` outwards can still scroll to that side. */
function canScroll(target: Element | null, [x, y]: [number, number]): boolean {
  for (let el = target; el; el = el.parentElement) {
    if (el !== document.documentElement && el !== document.body && !/auto|scroll/.test(overflow(el, x !== 0))) continue;
    if (x !== 0 && room(el.scrollLeft, el.scrollWidth - el.clientWidth, x)) return true;
    if (y !== 0 && room(el.scrollTop, el.scrollHeight - el.clientHeight, y)) return true;
  }
  return false;
}

function overflow(el: Element, horizontal: boolean): string {
  const style = getComputedStyle(el);
  return horizontal ? style.overflowX : style.overflowY;
}

function room(position: number, most: number, direction: number): boolean {
  return direction < 0 ? position > 1 : position < most - 1;
}

/** Whether the document scrolls on that axis at all: a key held down must not go on to the next output at its end. */
function scrolls([x]: [number, number]): boolean {
  const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement;
  return x !== 0 ? scrollWidth > clientWidth + 1 : scrollHeight > clientHeight + 1;
}

function forwardLink(event: MouseEvent, send: Send): void {
  const link = event.composedPath().find(isLink);
  const href = link && address(link);
  if (!link || !href || event.defaultPrevented || isLocal(href)) return;
  event.preventDefault();
  send({ type: "link", href: cut(href) });
}

function isLink(target: EventTarget): target is HTMLAnchorElement | SVGAElement {
  return target instanceof Element && target.localName === "a";
}

function address(link: HTMLAnchorElement | SVGAElement): string | null {
  return link.getAttribute("href") ?? link.getAttributeNS("http://www.w3.org/1999/xlink", "href");
}

/** Links that stay inside the frame: to a part of it, to something it made itself, or to a script. */
function isLocal(href: string): boolean {
  return /^(?:#|blob:|data:|javascript:)/i.test(href.trim());
}
