/**
 * Makes models and views: the manager that `@jupyter-widgets/base` wants, for the widgets of one view. A model is made
 * when something refers to it, since a session may have thousands that this frame does not show.
 */
import * as base from "@jupyter-widgets/base";
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as controls from "@jupyter-widgets/controls";
import { Widget } from "@lumino/widgets";
import { extend } from "./extend.ts";
import { spareWriting } from "./ipympl.ts";
import { Modules } from "./modules.ts";
import { followers, type Comm, type Part, type Source } from "./opening.ts";
import { outputWidgets, type DrawOutput } from "./outputs.ts";

Object.assign(base.WidgetModel, { extend });
Object.assign(base.WidgetView, { extend });

/** What the frame does for widgets. */
export interface Surroundings {
  /** Draw an output of a notebook, as an `Output` widget has it. */
  output: DrawOutput;
  /** Draw the formulas in an element's texts. */
  typeset(el: HTMLElement): void;
}

/** Milliseconds for a model to be shown, before it hears without a view what was said early. */
const SEEN_WITHIN = 3000;

export class Manager extends ManagerBase {
  /** Where controls look for what draws formulas. */
  readonly _rendermime: { latexTypesetter: { typeset(el: HTMLElement): void } };
  /** Run but once in a document: some define what is global. */
  readonly modules: Modules;
  readonly #source: Source;
  readonly #made = new Set<string>();
  /** By model: resolves when it has a view. */
  readonly #seen = new Map<string, PromiseWithResolvers<void>>();

  /** @param modules of a manager before this one, which knew the same */
  constructor(source: Source, { output, typeset }: Surroundings, modules?: Modules) {
    super();
    this.#source = source;
    this._rendermime = { latexTypesetter: { typeset } };
    const own = { "@jupyter-widgets/base": base, "@jupyter-widgets/controls": controls, "@jupyter-widgets/output": outputWidgets(output) };
    this.modules = modules ?? new Modules(own, (name) => source.module(name), { "jupyter-matplotlib": spareWriting });
  }

  /** Show a model's view. Returns how to take it away. @throws when it cannot be made */
  async show(id: string, el: HTMLElement): Promise<() => void> {
    const view = await this.create_view<base.DOMWidgetView>(await this.get_model(id));
    Widget.attach(view.luminoWidget, el);
    void this.follow();
    return () => view.remove();
  }

  /** Make the models that nothing shows, and that do something with one that is made. */
  async follow(): Promise<void> {
    const found = followers(this.#source, (id) => this.#made.has(id));
    await Promise.allSettled(found.map((id) => this.get_model(id)));
  }

  /** Let models say what changes in them, or keep it to themselves. */
  async setLive(live: boolean): Promise<void> {
    for (const id of this.#made) {
      const model = await super.get_model(id).catch(() => null);
      if (model && model.comm_live !== live) model.comm_live = live;
    }
  }

  /** A view that could not be made says why, in words. */
  override async create_view<View extends base.WidgetView>(model: base.WidgetModel, options?: object): Promise<View> {
    const view = await super.create_view<View>(model, options);
    if (view instanceof base.ErrorWidgetView) tellOf(view);
    this.#seenOf(model.model_id).resolve();
    return view;
  }

  override has_model(id: string): boolean {
    return super.has_model(id) || this.#source.openings.has(id);
  }

  override get_model(id: string): Promise<base.WidgetModel> {
    return super.has_model(id) ? super.get_model(id) : this.#make(id);
  }

  /** At once where it is known already: whoever asks a second time must find it registered. */
  #make(id: string): Promise<base.WidgetModel> {
    const opening = this.#source.openings.get(id);
    if (!opening) return this.#source.opening(id).then(() => this.get_model(id));
    const { state } = opening;
    const comm = this.#source.comm(opening);
    const model = this.new_model(
      {
        model_id: id,
        model_name: String(state._model_name),
        model_module: String(state._model_module),
        model_module_version: String(state._model_module_version),
        ...(comm && { comm: comm as unknown as base.IClassicComm }),
      },
      state,
    );
    comm?.hold(model, state._view_name ? this.#seenSoon(id) : Promise.resolve());
    return model;
  }

  #seenOf(id: string): PromiseWithResolvers<void> {
    const seen = this.#seen.get(id) ?? Promise.withResolvers<void>();
    this.#seen.set(id, seen);
    return seen;
  }

  /** Resolves when a model has a view, or is not likely to get one. */
  #seenSoon(id: string): Promise<unknown> {
    return Promise.race([this.#seenOf(id).promise, new Promise((resolve) => setTimeout(resolve, SEEN_WITHIN))]);
  }

  override register_model(id: string, model: Promise<base.WidgetModel>): void {
    this.#made.add(id);
    super.register_model(id, model);
  }

  protected override async loadClass(className: string, moduleName: string): Promise<typeof base.WidgetModel> {
    const module = (await this.modules.load(moduleName)) as Record<string, typeof base.WidgetModel | undefined>;
    const found = module[className];
    if (!found) throw new Error(`${moduleName} has no ${className}: its Python package and its front end are of different versions`);
    return found;
  }

  /** A model of which nobody knows anything is still one that others may refer to. */
  protected override loadModelClass(...named: [string, string, string]): Promise<typeof base.WidgetModel> {
    return this.loadClass(named[0], named[1]).catch(() => base.DOMWidgetModel);
  }

  protected override loadViewClass(...named: [string, string, string]): Promise<typeof base.WidgetView> {
    return (this.loadClass(named[0], named[1]) as unknown as Promise<typeof base.WidgetView>).catch((error: unknown) => missing(named[1], error));
  }

  /** Begun in the frame: by widgets that make others. */
  override async _create_comm(target: string, id?: string, data?: unknown, metadata?: object, buffers?: Part[]): Promise<base.IClassicComm> {
    const comm: Comm = this.#source.begin(target, id ?? base.uuid());
    if (data || metadata) comm.open(data, {}, metadata, buffers);
    return comm as unknown as base.IClassicComm;
  }

  override _get_comm_info(): Promise<object> {
    return Promise.resolve({});
  }
}

function tellOf(view: base.ErrorWidgetView): void {
  const { msg, stack } = view.generateErrorMessage();
  view.el.onclick = view.el.ondblclick = null;
  view.el.replaceChildren(problem(`${msg}\n${String(stack).split("\n", 1)[0]}`));
}

function problem(words: string): HTMLElement {
  const pre = document.createElement("pre");
  pre.className = "error";
  pre.textContent = words;
  return pre;
}

/** Says in a widget's place why it is not there. */
function missing(name: string, error: unknown): typeof base.WidgetView {
  return class Missing extends base.DOMWidgetView {
    override render(): void {
      this.el.append(problem(`${name}: ${error instanceof Error ? error.message : String(error)}`));
    }
  };
}
