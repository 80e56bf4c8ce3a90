/**
 * Puts what the stage shows where the camera says, and moves the camera by wheel, drag, pinch and double click.
 *
 * Pictures get another size (figures are then drawn anew for it); drawings in frames are magnified as a whole; texts get
 * larger letters and flow anew.
 */
import { HOME, held, magnification, sized, step, zoomed, type Camera, type Extent, type Layout, type Point, type Sizing } from "./camera.ts";
import type { Lens } from "./lens.svelte.ts";
import { listenToPinches, PINCH, type Gesture } from "./pinch.ts";

/** `picture`: an element with a size of its own; `magnified`: a frame with a drawing; `flowing`: a frame or text that flows anew. */
export type Kind = "picture" | "magnified" | "flowing";

/** What is in the stage. */
export interface Content {
  output: number;
  kind: Kind;
  element: HTMLElement;
  /** Its size before any zoom. */
  layout(stage: Extent, sizing: Sizing): Layout;
  /** It was placed at another size, in another part of the stage, or by another policy. */
  placed?(camera: Camera, sizing: Sizing): void;
}

/** Zoom of one pixel of a wheel. */
const WHEEL = 0.0018;
/** Pixels of a wheel that counts in lines. */
const LINE = 18;

export class Viewport {
  /** How large the output is against as made; `null` when it cannot be zoomed. */
  magnification = $state<number | null>(null);
  /** Whether it is larger or smaller than its layout. */
  zoomed = $state(false);

  readonly #stage: HTMLElement;
  readonly #lens: Lens;
  readonly #observer: ResizeObserver;
  readonly #pointers = new Map<number, Point>();
  #content: Content | null = null;
  #room: Extent | undefined;

  constructor(stage: HTMLElement, lens: Lens) {
    this.#stage = stage;
    this.#lens = lens;
    this.#observer = new ResizeObserver(() => {
      this.#room = undefined;
      this.apply();
    });
    this.#observer.observe(stage);
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    listenToPinches(stage, (pixels, at) => this.#pinch(pixels, at));
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    for (const type of ["pointerup", "pointercancel"] as const) stage.addEventListener(type, (event) => this.#up(event));
    stage.addEventListener("dblclick", (event) => this.#content?.kind === "picture" && this.#toggle(this.#at(event)));
  }

  /** The stage's size, kept: to ask for it again could cost a layout of all that has changed meanwhile. */
  get extent(): Extent {
    return (this.#room ??= { width: this.#stage.clientWidth, height: this.#stage.clientHeight });
  }

  get #layout(): Layout {
    return this.#content!.layout(this.extent, this.#lens.sizing);
  }

  get #camera(): Camera {
    return this.#lens.camera(this.#content!.output);
  }

  /** Look at something else, or at nothing. */
  show(content: Content | null): void {
    this.#content = content;
    this.apply();
  }

  end(): void {
    this.#observer.disconnect();
    this.show(null);
  }

  /** Put the content where it belongs now. */
  apply(): void {
    const content = this.#content;
    if (!content) {
      this.magnification = null;
      this.zoomed = false;
      return;
    }
    const [layout, stage] = [this.#layout, this.extent];
    const camera = held(this.#camera, layout, stage);
    PLACE[content.kind](content.element, layout, camera, stage);
    content.placed?.(camera, this.#lens.sizing);
    this.magnification = magnification(layout, camera);
    this.zoomed = camera.zoom !== 1;
    this.#stage.classList.toggle("movable", content.kind === "picture" && exceeds(sized(layout, camera), stage));
  }

  // -- moving the camera ----------------------------------------------------------------------------------------------

  /** Zoom by `factor` around a point, from the stage's centre. */
  zoomBy(factor: number, point: Point = HOME): void {
    if (this.#content) this.#look(zoomed(this.#camera, factor, this.#content.kind === "flowing" ? HOME : point, this.#layout, this.extent));
  }

  /** Zoom to a size against as made. */
  zoomTo(size: number): void {
    if (this.magnification) this.zoomBy(size / this.magnification);
  }

  /** Zoom to the next round size above or below. */
  step(direction: 1 | -1): void {
    if (this.magnification) this.zoomBy(step(direction, this.magnification));
  }

  /** As it was laid out. */
  home(): void {
    if (this.#content) this.#look(HOME);
  }

  panBy(x: number, y: number): void {
    if (!this.#content) return;
    const camera = this.#camera;
    this.#look(held({ ...camera, x: camera.x + x, y: camera.y + y }, this.#layout, this.extent));
  }

  /** A point in a frame, seen from the stage's centre. */
  fromFrame({ x, y }: Point): Point {
    const { width, height } = sized(this.#layout, this.#camera);
    const { zoom, x: left, y: top } = this.#camera;
    return { x: x * zoom - width / 2 + left, y: y * zoom - height / 2 + top };
  }

  #look(camera: Camera): void {
    this.#lens.look(this.#content!.output, camera);
    this.apply();
  }

  #toggle(point: Point): void {
    if (this.zoomed) this.home();
    else this.zoomBy(2, point);
  }

  // -- wheel and pointers ---------------------------------------------------------------------------------------------

  #at({ clientX, clientY }: { clientX: number; clientY: number }): Point {
    const { left, top, width, height } = this.#stage.getBoundingClientRect();
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  }

  #wheel(event: WheelEvent): void {
    const content = this.#content;
    if (!content || (content.kind !== "picture" && !event.ctrlKey && !event.metaKey)) return;
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
    const [x, y] = [event.deltaX * unit, event.deltaY * unit];
    if (event.shiftKey || Math.abs(x) > Math.abs(y)) this.panBy(-x || -y, 0);
    else this.zoomBy(wheelFactor(y, event.ctrlKey), this.#at(event));
  }

  /** Fingers on a screen are pointers, too. */
  #pinch(pixels: number, at: Gesture): void {
    if (this.#content && this.#pointers.size === 0) this.zoomBy(wheelFactor(pixels, true), this.#at(at));
  }

  #down(event: PointerEvent): void {
    if (this.#content?.kind !== "picture" || event.button !== 0) return;
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.#stage.setPointerCapture(event.pointerId);
    this.#stage.classList.add("moving");
  }

  #move(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.#pointers.set(event.pointerId, now);
    if (!other) return this.panBy(now.x - before.x, now.y - before.y);
    const middle = { clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 };
    this.zoomBy(distance(now, other) / Math.max(1, distance(before, other)), this.#at(middle));
    this.panBy((now.x - before.x) / 2, (now.y - before.y) / 2);
  }

  #up(event: PointerEvent): void {
    this.#pointers.delete(event.pointerId);
    if (this.#pointers.size === 0) this.#stage.classList.remove("moving");
  }
}

/** How much `pixels` of a wheel zoom; a pinch on a touchpad comes as a wheel with Ctrl. */
export const wheelFactor = (pixels: number, pinch: boolean): number => Math.exp(-Math.max(-400, Math.min(400, pixels)) * (pinch ? PINCH : WHEEL));

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

const exceeds = (a: Extent, b: Extent): boolean => a.width > b.width || a.height > b.height;

type Place = (element: HTMLElement, layout: Layout, camera: Camera, stage: Extent) => void;

const PLACE: Record<Kind, Place> = {
  picture(element, layout, camera, stage) {
    const { width, height } = sized(layout, camera);
    const [left, top] = [(stage.width - width) / 2 + camera.x, (stage.height - height) / 2 + camera.y];
    Object.assign(element.style, { width: `${width}px`, height: `${height}px`, left: `${Math.round(left)}px`, top: `${Math.round(top)}px` });
  },
  magnified(element, layout, camera, stage) {
    const { width, height } = sized(layout, camera);
    const [left, top] = [(stage.width - width) / 2 + camera.x, (stage.height - height) / 2 + camera.y];
    const still = camera.zoom === 1 && layout.width === stage.width && layout.height === stage.height;
    Object.assign(element.style, still ? { width: "", height: "", transform: "" } : {
      width: `${layout.width}px`, height: `${layout.height}px`, transform: `translate(${left}px, ${top}px) scale(${camera.zoom})`,
    });
  },
  flowing(element, { width }, { zoom }, stage) {
    const left = (stage.width - width) / 2;
    if (element.localName !== "iframe") element.style.zoom = String(zoom);
    else Object.assign(element.style, zoom === 1 && left === 0 ? { width: "", height: "", transform: "" } : {
      width: left === 0 ? `${100 / zoom}%` : `${width / zoom}px`, height: `${100 / zoom}%`, transform: `translate(${left}px) scale(${zoom})`,
    });
  },
};
