/**
 * A small AMD loader, for the front-end modules that packages install for classic notebooks (`nbextensions/…/index.js`).
 * Source: the AMD specification (`define`, `define.amd`), and of RequireJS what such modules use.
 */

import type { ModuleText } from "./opening.ts";

type Dependencies = readonly string[];

/** What a module's text says of itself by `define`. */
interface Definition {
  dependencies: Dependencies;
  factory: unknown;
}

/** What a module's text sees of the loader. */
export interface Scope {
  define: Define;
  require: Require;
}

type Define = ((...args: unknown[]) => void) & { amd: object };
type Require = ((wanted: string | Dependencies, then?: (...modules: unknown[]) => void, otherwise?: (error: unknown) => void) => unknown) & {
  config(options: { map?: Record<string, Record<string, string>> }): void;
  toUrl(name: string): string;
  defined(name: string): boolean;
  undef(name: string): void;
};

/** Runs a module's text. */
export type Run = (name: string, source: string, scope: Scope) => Promise<void>;

/** By name: changes what a module says before anybody uses it. */
export type Amend = Record<string, (module: unknown) => void>;

/** Names that stand for a module's own things. */
const OWN = new Set(["require", "exports", "module"]);

/** Scripts that this document has run, or is about to: they are global, and there may be several loaders. */
const ran = new Map<string, Promise<void>>();

export class Modules {
  readonly #find: (name: string) => ModuleText;
  readonly #amend: Amend;
  readonly #run: Run;
  readonly #runGlobal: (name: string, source: string) => Promise<void>;
  readonly #loading = new Map<string, Promise<unknown>>();
  readonly #loaded = new Map<string, unknown>();
  readonly #map = new Map<string, string>();
  readonly #require: Require;

  /**
   * @param own modules that are there already
   * @param find the text of any other. It throws why there is none
   * @param amend what is changed in modules that `find` has
   */
  constructor(own: Record<string, unknown>, find: (name: string) => ModuleText, amend: Amend = {}, run: Run = runInDocument, runGlobal = runScript) {
    this.#find = find;
    this.#amend = amend;
    this.#run = run;
    this.#runGlobal = runGlobal;
    for (const [name, module] of Object.entries(own)) this.#loaded.set(name, module);
    this.#require = Object.assign(this.#required.bind(this), {
      config: ({ map }: { map?: Record<string, Record<string, string>> }) => Object.entries(map?.["*"] ?? {}).forEach(([from, to]) => this.#map.set(from, to)),
      toUrl: (name: string) => name,
      defined: (name: string) => this.#loaded.has(this.#named(name)),
      undef: () => {}, // a module's text says so of itself, to be defined anew
    });
  }

  /** A module, with all that it needs. Rejects with the reason when it cannot be had. */
  load(wanted: string): Promise<unknown> {
    const name = this.#named(wanted);
    if (this.#loaded.has(name)) return Promise.resolve(this.#loaded.get(name));
    const loading = this.#loading.get(name) ?? this.#begin(name);
    this.#loading.set(name, loading);
    return loading;
  }

  async #begin(name: string): Promise<unknown> {
    let definition: Definition | undefined;
    const define = (...args: unknown[]): void => void (definition = read(args));
    const { text, scripts } = this.#find(name);
    for (const each of scripts) await this.#runScript(each);
    await this.#run(name, text, { define: Object.assign(define, { amd: {} }), require: this.#require });
    if (!definition) throw new Error(`${name} is no AMD module: it did not call define`);
    const module = await this.#make(name, definition);
    this.#amend[name]?.(module);
    this.#loaded.set(name, module);
    return module;
  }

  /** A script of the user's own that a module takes as given, once; it sees nothing of the loader. */
  #runScript({ name, text }: ModuleText["scripts"][number]): Promise<void> {
    const running = ran.get(name) ?? this.#runGlobal(name, text);
    ran.set(name, running);
    return running;
  }

  async #make(name: string, { dependencies, factory }: Definition): Promise<unknown> {
    const module = { id: name, uri: "", exports: {} as unknown };
    const own: Record<string, unknown> = { require: this.#require, exports: module.exports, module };
    const needed = await Promise.all(dependencies.map((each) => (OWN.has(each) ? own[each] : this.load(each))));
    const made: unknown = typeof factory === "function" ? (factory(...needed) as unknown) : factory;
    return made ?? module.exports;
  }

  #required(wanted: string | Dependencies, then?: (...modules: unknown[]) => void, otherwise: (error: unknown) => void = console.warn): unknown {
    if (typeof wanted !== "string") return void Promise.all(wanted.map((each) => this.load(each))).then((modules) => then?.(...modules), otherwise);
    const name = this.#named(wanted);
    if (!this.#loaded.has(name)) throw new Error(`the module ${wanted} is not loaded yet`);
    return this.#loaded.get(name);
  }

  /** The name by which a module is sent, whichever name it is asked for by. */
  #named(wanted: string): string {
    const name = this.#map.get(wanted) ?? wanted;
    return /^nbextensions\/(.+)\/index$/.exec(name)?.[1] ?? name;
  }
}

/** `define([name,] [dependencies,] factory)` */
function read(args: unknown[]): Definition {
  const rest = typeof args[0] === "string" ? args.slice(1) : args;
  if (Array.isArray(rest[0])) return { dependencies: rest[0] as string[], factory: rest[1] };
  return { dependencies: typeof rest[0] === "function" && rest[0].length > 0 ? ["require", "exports", "module"] : [], factory: rest[0] };
}

let count = 0;

/**
 * As a script of the document, which stays there: some bundles look for the address of one, long after they were run. What
 * it sees of the loader is not global, since libraries that are loaded later would speak to a global `define` too.
 */
async function runInDocument(name: string, source: string, { define, require }: Scope): Promise<void> {
  const runner = `ipywebModule${++count}`;
  let failed: unknown;
  const run = (body: (...scope: unknown[]) => void): void => {
    try {
      body(define, require, require);
    } catch (error) {
      failed = error;
    }
  };
  Object.defineProperty(globalThis, runner, { value: run, configurable: true });
  try {
    await runScript(name, `${runner}(function (define, require, requirejs) {${source}\n})`);
  } finally {
    Reflect.deleteProperty(globalThis, runner);
  }
  if (failed) throw failed as Error;
}

/** As a script of the document, which may define globals. */
async function runScript(name: string, source: string): Promise<void> {
  const script = document.createElement("script");
  script.src = URL.createObjectURL(new Blob([`${source}\n//# sourceURL=${name}.js`], { type: "text/javascript" }));
  const settled = new Promise<void>((resolve, reject) => {
    script.onload = () => resolve();
    script.onerror = () => reject(new Error(`${name} could not be run`));
  });
  document.head.append(script);
  await settled.finally(() => URL.revokeObjectURL(script.src));
}
