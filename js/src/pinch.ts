/** Pinches on a touchpad. Browsers send them as a wheel with Ctrl; Safari as gestures, and would magnify the page. */

/** Zoom of one pixel of a wheel that stands for a pinch. */
export const PINCH = 0.01;

/** Safari's own (https://developer.apple.com/documentation/webkitjs/gestureevent). */
export interface Gesture extends Event {
  /** How far apart the fingers are, against how far they were when it began. */
  readonly scale: number;
  readonly clientX: number;
  readonly clientY: number;
}

/**
 * Listen to gestures that nobody else has used.
 *
 * @param pinched takes what the last movement zooms, in pixels of a wheel, and where
 */
export function listenToPinches(target: EventTarget, pinched: (pixels: number, at: Gesture) => void): void {
  let before = 1;
  const listen = (type: string, heard: (gesture: Gesture) => void) =>
    target.addEventListener(type, (event) => {
      if (event.defaultPrevented) return;
      event.preventDefault();
      heard(event as Gesture);
    });
  listen("gesturestart", () => (before = 1));
  listen("gesturechange", (gesture) => {
    pinched(-Math.log(gesture.scale / before) / PINCH, gesture);
    before = gesture.scale;
  });
}
