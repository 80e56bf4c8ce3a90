/** `@jupyter-widgets/output`, with what its `outputs` have drawn by the frame's own renderers. */
import * as output from "@jupyter-widgets/output";

/** An output as notebooks have it. Source: nbformat 4, "Output". */
export interface NotebookOutput {
  output_type: string;
  /** Of a stream. */
  name?: string;
  text?: string | string[];
  /** Of a display, by MIME type. */
  data?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  /** Of an error. */
  traceback?: string[];
}

/** Draws an output into an element, and widgets in it by their manager. Resolves to how to let go of what it holds. */
export type DrawOutput = (el: HTMLElement, output: NotebookOutput, manager: WidgetManager) => Promise<() => void>;

export interface WidgetManager {
  /** Show a model's view. Resolves to how to take it away. */
  show(id: string, el: HTMLElement): Promise<() => void>;
}

interface Drawn {
  text: string;
  element: HTMLElement;
  end: () => void;
}

/** The module, as models and views ask for it. */
export function outputWidgets(draw: DrawOutput): Record<string, unknown> {
  class OutputModel extends output.OutputModel {
    override defaults(): Record<string, unknown> {
      return { ...super.defaults(), msg_id: "", outputs: [] };
    }
  }

  class OutputView extends output.OutputView {
    #drawn: Drawn[] = [];
    #drawing: Promise<void> | undefined;

    override render(): void {
      super.render();
      this.el.classList.add("jupyter-widgets-output-area");
      this.listenTo(this.model, "change:outputs", () => this.#redraw());
      this.#redraw();
    }

    override remove(): this {
      for (const { end } of this.#drawn) end();
      return super.remove() as this;
    }

    /** Once it is in the document: what is drawn wants to know how large it may be. */
    #redraw(): void {
      this.#drawing = (this.#drawing ?? this.displayed).then(() => this.#draw()).catch((error: unknown) => console.warn(error));
    }

    /** Keep what is the same, and put the rest in its place at once, so that nothing flashes. */
    async #draw(): Promise<void> {
      const wanted = (this.model.get("outputs") as NotebookOutput[] | undefined) ?? [];
      const texts = wanted.map((each) => JSON.stringify(each));
      const before = this.#drawn;
      const kept = (n: number): Drawn | undefined => (before[n]?.text === texts[n] ? before[n] : undefined);
      const next = await Promise.all(wanted.map((each, n) => kept(n) ?? drawOne(this, each, texts[n]!)));
      this.#drawn = next;
      for (const { element } of next) element.classList.remove("coming");
      for (const old of before.filter((each) => !next.includes(each))) {
        old.element.remove();
        old.end();
      }
    }
  }

  async function drawOne({ el, model }: output.OutputView, each: NotebookOutput, text: string): Promise<Drawn> {
    const element = document.createElement("div");
    element.className = "output coming";
    const inside = document.createElement("div"); // what draws may give it classes of its own
    element.append(inside);
    el.append(element);
    const end = await draw(inside, each, model.widget_manager as unknown as WidgetManager).catch((error: Error) => {
      element.textContent = error.message;
      return () => {};
    });
    return { text, element, end };
  }

  return { ...output, OutputModel, OutputView };
}
