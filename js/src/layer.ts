/** What is in the stage, or about to be: one element that shows one view, and what lives in it. */
import { layoutImage, layoutFlowing, type Camera, type Extent, type Sizing } from "./camera.ts";
import type { OutputRecord } from "./protocol.ts";
import { fit, type LiveFigure } from "./renderers/figure.ts";
import { sizeAsMade } from "./renderers/image.ts";
import type { Frame } from "./sandbox.ts";
import { familyOf, metadataOf, nameOf, type View } from "./view.ts";
import type { Content } from "./viewport.svelte.ts";

export class Layer {
  view: View;
  readonly element = document.createElement("div");
  frame: Frame | undefined;
  /** Where the frame's document is, if it is for this output alone. */
  readonly network: string | null;
  /** Draws its figure anew for the size that it has. */
  figure: LiveFigure | undefined;

  constructor(view: View, network: string | null = null) {
    this.view = view;
    this.network = network;
    this.element.className = "layer";
  }

  /** Whether a newer version can be drawn in its frame. */
  takes({ output, mime }: View, network: string | null): boolean {
    return this.frame !== undefined && this.isOf(output, mime) && this.network === network;
  }

  /** Whether it shows that MIME type of that output, in whatever version. */
  isOf({ id }: OutputRecord, mime: string): boolean {
    return this.view.output.id === id && this.view.mime === mime;
  }

  /** Call its frame what an output is called, for those who do not see it. */
  name(output: OutputRecord): void {
    if (this.frame) this.frame.element.title = nameOf(output);
  }

  /** What of it the camera moves; nothing of what has no size and no letters of its own. */
  get content(): Content | null {
    const { renderer, magnifies } = familyOf(this.view);
    const element = this.element.firstElementChild as HTMLElement | null;
    if (!element || renderer === "unknown") return null;
    const base = { output: this.view.output.id, element };
    if (renderer === "image") return { ...base, kind: "picture", ...this.#picture(element as HTMLImageElement) };
    const magnified = this.frame !== undefined && magnifies;
    const placed = ({ zoom }: Camera, sizing: Sizing) => {
      this.frame?.send({ type: "zoomed", on: magnified && zoom > 1 });
      this.frame?.send({ type: "sizing", sizing });
    };
    const layout = renderer === "text" || magnified ? (stage: Extent) => ({ ...stage, scale: 1 }) : layoutFlowing;
    return { ...base, kind: magnified ? "magnified" : "flowing", layout, placed };
  }

  #picture(image: HTMLImageElement): Pick<Content, "layout" | "placed"> {
    const { figure } = this.view.output;
    if (figure) return { layout: (stage, sizing) => fit(figure, stage, sizing), placed: ({ zoom }) => this.figure?.resized(zoom !== 1) };
    const made = sizeAsMade(image, metadataOf(this.view));
    return { layout: (stage, sizing) => layoutImage(made, stage, sizing) };
  }

  /** Take it out. Its frame is the caller's. */
  end(): void {
    this.figure?.end();
    this.frame?.watch(false);
    this.element.remove();
  }
}
