/**
 * `application/vnd.jupyter.widget-view+json`: a widget, alive as long as its session is, else as it was last, which
 * nobody can touch any more.
 */
import type { KeptWidgets } from "../widgets/kept.ts";
import type { Line, LineEvents } from "../widgets/line.ts";
import type { Manager, Surroundings } from "../widgets/manager.ts";
import type { Source } from "../widgets/opening.ts";
import { runPreludes } from "../frame/companions.ts";
import { formulas } from "./formulas.ts";
import { drawOutput } from "./outputs.ts";
import { json, type Bundle, type Cleanup } from "./renderer.ts";

interface Library {
  Line: new (port: MessagePort, events: LineEvents) => Line;
  KeptWidgets: new (...args: ConstructorParameters<typeof KeptWidgets>) => KeptWidgets;
  Manager: new (...args: ConstructorParameters<typeof Manager>) => Manager;
  styles: string;
}

interface Shown {
  source: Source;
  manager: Manager;
  /** How many losses there had been before it. */
  losses: number;
  end: Cleanup;
}

/** Milliseconds for the hub to say what is open, before the widget is shown without it; and for one that it has only been told of. */
const HEARD_WITHIN = 5000;
const OPENED_WITHIN = 1000;

export async function render(el: HTMLElement, bundle: Bundle): Promise<Cleanup> {
  const { model_id } = json<{ model_id: string }>(bundle);
  const [library, port] = await Promise.all([bundle.library<Library>("widgets"), bundle.comms()]);
  addStyles(library.styles);
  Object.assign(globalThis, { ipywebLibrary: bundle.library });
  await runPreludes(bundle.companions);
  const scene = new Scene(el, model_id, library, bundle, port);
  await scene.begin();
  return () => scene.end();
}

/** One widget in the frame's document, and what is said about it. */
class Scene {
  readonly #id: string;
  readonly #library: Library;
  readonly #bundle: Bundle;
  readonly #line: Line;
  readonly #words = document.createElement("p");
  readonly #place = document.createElement("div");
  #shown: Shown | undefined;
  /** Whether it is known by now what there is to show. */
  #begun = false;
  /** Whether it could not be made, which is said in its place. */
  #failed = false;
  /** Whether its session has closed it. */
  #closed = false;
  #following: ReturnType<typeof setTimeout> | undefined;
  #showing: Promise<void> = Promise.resolve();

  constructor(el: HTMLElement, id: string, library: Library, bundle: Bundle, port: MessagePort) {
    this.#id = id;
    this.#library = library;
    this.#bundle = bundle;
    this.#words.className = "condition";
    this.#words.setAttribute("role", "status");
    this.#place.className = "place jupyter-widgets-view";
    el.className = "widgets";
    this.#words.hidden = true;
    el.replaceChildren(this.#words, this.#place);
    this.#line = new library.Line(port, {
      opened: (opened) => this.#opened(opened),
      closed: (closed) => this.#close(closed),
      changed: () => {
        this.#tell();
        this.#renew();
      },
      busy: (busy) => el.classList.toggle("busy", busy),
    });
    this.#line.views(id);
  }

  /** Resolves when the widget is there, alive or not, or it is clear that it will not be. */
  async begin(): Promise<void> {
    const kept = this.#kept;
    await within(HEARD_WITHIN, this.#line.filled);
    if (!kept) await within(OPENED_WITHIN, this.#line.opening(this.#id));
    const source = this.#line.openings.has(this.#id) ? this.#line : kept;
    if (source) await this.#show(source);
    this.#begun = true;
    this.#tell();
  }

  end(): void {
    this.#shown?.end();
  }

  get #kept(): Source | undefined {
    const { companions } = this.#bundle;
    return companions.widgets && new this.#library.KeptWidgets(companions.widgets, companions);
  }

  /** Show it; what was shown before leaves when it is there. */
  #show(source: Source): Promise<void> {
    return (this.#showing = this.#showing.then(() => this.#make(source)).catch((error: unknown) => this.#fail(error)));
  }

  async #make(source: Source): Promise<void> {
    const { losses } = this.#line;
    const before = this.#shown?.source === source ? this.#shown : undefined;
    if (before?.losses === losses) return;
    const surroundings: Surroundings = {
      output: (el, output, manager) => drawOutput(el, output, this.#bundle, (at, id) => manager.show(id, at)),
      typeset: (el) => void formulas.typeset(el, this.#bundle),
    };
    const manager = new this.#library.Manager(source, surroundings, before?.manager.modules);
    const host = document.createElement("div");
    this.#place.append(host);
    const end = await manager.show(this.#id, host);
    this.#shown?.end();
    this.#line.endLost();
    this.#place.replaceChildren(host);
    this.#shown = { source, manager, losses, end };
    this.#failed = false;
    this.#tell();
  }

  #fail(error: unknown): void {
    const pre = document.createElement("pre");
    pre.className = "error";
    pre.textContent = error instanceof Error ? error.message : String(error);
    this.#place.replaceChildren(pre);
    this.#failed = true;
    this.#tell();
  }

  #opened(id: string): void {
    if (id === this.#id) {
      this.#closed = false;
      void this.#line.filled.then(() => this.#renew());
    } else this.#following ??= setTimeout(() => this.#follow());
  }

  /** Show what the session says, anew if something was lost on the way; that is made once somebody answers again. */
  #renew(): void {
    if (this.#closed || !this.#line.isOpen(this.#id)) return;
    if (this.#line.live || this.#shown?.source !== this.#line) void this.#show(this.#line);
  }

  /** Something was opened, perhaps to follow what is shown; often it is many things at once. */
  #follow(): void {
    this.#following = undefined;
    void this.#shown?.manager.follow();
  }

  #close(id: string): void {
    if (id !== this.#id) return;
    this.#closed = true;
    this.#shown = undefined; // its views went with it
    this.#tell();
  }

  /** What the user should know, and whether the widget can be touched. */
  #tell(): void {
    if (!this.#begun) return;
    const isWhole = this.#shown?.source === this.#line && this.#shown.losses === this.#line.losses;
    const live = this.#line.live && isWhole && !this.#closed;
    const words = live || this.#failed ? "" : this.#condition();
    this.#words.textContent = words;
    this.#words.hidden = words === "";
    this.#place.inert = !live || !this.#line.speaks;
    if (this.#shown?.source === this.#line) void this.#shown.manager.setLive(live);
  }

  #condition(): string {
    const { live, ended, refused } = this.#line;
    if (refused !== null) return `stopped: ${refused}`;
    if (this.#closed) return "closed by its session";
    if (this.#shown) return ended || this.#shown.source !== this.#line ? "session ended: last state" : "not connected";
    if (live) return "its session has no such widget any more";
    return ended ? "session ended: its last state was not kept" : "not connected";
  }
}

const within = (milliseconds: number, awaited: Promise<unknown>): Promise<unknown> =>
  Promise.race([awaited.catch(() => {}), new Promise((resolve) => setTimeout(resolve, milliseconds))]);

function addStyles(styles: string): void {
  if (document.getElementById("widget-styles")) return;
  const style = document.createElement("style");
  style.id = "widget-styles";
  style.textContent = styles;
  document.head.append(style);
}
