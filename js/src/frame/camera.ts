/** What the wheel, pinches and drags mean for the pane's camera: Ctrl and the wheel zooms; a drawing that is zoomed is moved. */
import { listenToPinches } from "../pinch.ts";
import type { FromFrame } from "./channel.ts";

type Send = (message: FromFrame) => void;

/** Pixels of a wheel that counts in lines. */
const LINE = 18;

let zoomed = false;

/** The pane shows a part of this frame, magnified. */
export function setZoomed(on: boolean): void {
  zoomed = on;
}

/** Listen on the window, after all the output's own listeners. */
export function forwardCamera(send: Send): void {
  const zooming = gathered((pixels, x, y) => send({ type: "zoom", pixels, x, y }));
  const panning = gathered((_, x, y) => send({ type: "pan", x, y }), true);
  addEventListener("wheel", (event) => wheel(event, zooming, panning), { passive: false });
  listenToPinches(window, (pixels, { clientX, clientY }) => zooming(pixels, clientX, clientY));
  addEventListener("pointermove", (event) => drag(event, panning));
}

type Gather = (pixels: number, x: number, y: number) => void;

function wheel(event: WheelEvent, zooming: Gather, panning: Gather): void {
  if (event.defaultPrevented || !(event.ctrlKey || event.metaKey || zoomed)) return;
  event.preventDefault();
  const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
  if (event.ctrlKey || event.metaKey) zooming(event.deltaY * unit, event.clientX, event.clientY);
  else panning(0, -event.deltaX * unit, -event.deltaY * unit);
}

/** Drags what has no use for them itself, an SVG, or anything with Alt: what is magnified as the pane does it, else by scrolling. */
function drag(event: PointerEvent, panning: Gather): void {
  const free = event.altKey || document.querySelector("#output > svg") !== null;
  if (!free || event.buttons !== 1 || event.defaultPrevented) return;
  if (zoomed) panning(0, event.movementX, event.movementY);
  else scrollBy(-event.movementX, -event.movementY);
}

/** Puts what comes within one frame of the screen into one message. Points are those of the last; ways add up. */
function gathered(send: Gather, addUp = false): Gather {
  let sum: [number, number, number] | null = null;
  return (pixels, x, y) => {
    if (sum === null) requestAnimationFrame(() => {
      send(...sum!);
      sum = null;
    });
    const [before, left, top] = sum ?? [0, 0, 0];
    sum = addUp ? [0, left + x, top + y] : [before + pixels, x, y];
  };
}
