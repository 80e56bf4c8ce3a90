/**
 * What runs inside a sandboxed frame: it takes one port from the shell, then draws what comes on it.
 *
 * The frame has an opaque origin and no network. User code runs in this same realm later, so nothing here is a secret
 * and nothing the shell believes depends on it.
 */
import { FILL, type Sizing } from "../camera.ts";
import { LIBRARIES, type LibraryName } from "../libraries.ts";
import * as html from "../renderers/html.ts";
import * as javascript from "../renderers/javascript.ts";
import * as json from "../renderers/json.ts";
import * as latex from "../renderers/latex.ts";
import * as markdown from "../renderers/markdown.ts";
import * as fromPackage from "../renderers/package.ts";
import * as page from "../renderers/page.ts";
import * as pdf from "../renderers/pdf.ts";
import * as plotly from "../renderers/plotly.ts";
import type { Bundle, Cleanup, Renderer } from "../renderers/renderer.ts";
import * as svg from "../renderers/svg.ts";
import { family, type FrameRendererName } from "../renderers/table.ts";
import * as vega from "../renderers/vega.ts";
import * as widgets from "../renderers/widgets.ts";
import type { Shot } from "../taking.ts";
import { forwardCamera, setZoomed } from "./camera.ts";
import { cut, HELLO, PORT, type FromFrame, type Theme, type ToFrame } from "./channel.ts";
import { forwardInput, wantKeys } from "./input.ts";
import { painted } from "./painted.ts";
import { memoryStorage } from "./storage.ts";
import { FRAME_STYLES } from "./styles.ts";

type Render = Extract<ToFrame, { type: "render" }>;

const RENDERERS: Record<FrameRendererName, Renderer> = { plotly, vega, html, markdown, latex, svg, pdf, javascript, json, package: fromPackage, widgets };

const nonce = window.name;
const loading = new Map<string, PromiseWithResolvers<void>>();
let port: MessagePort;
let line: PromiseWithResolvers<MessagePort> | undefined;
let cleanup: Cleanup | undefined;
let shown: Renderer | undefined;
let sizing = FILL;

start();

function start(): void {
  window.name = "";
  for (const storage of ["localStorage", "sessionStorage"]) {
    Object.defineProperty(window, storage, { value: memoryStorage(), configurable: true });
  }
  const style = document.createElement("style");
  style.textContent = FRAME_STYLES;
  document.head.append(style);
  addEventListener("message", takePort);
  parent.postMessage({ type: HELLO, nonce }, "*");
}

function takePort(event: MessageEvent<{ type?: unknown; nonce?: unknown } | null>): void {
  if (event.source !== parent || event.data?.type !== PORT || event.data.nonce !== nonce || !event.ports[0]) return;
  removeEventListener("message", takePort);
  port = event.ports[0];
  port.onmessage = ({ data }: MessageEvent<ToFrame>) => HANDLERS[data.type](data as never);
  listen();
}

const send = (message: FromFrame, transfer: Transferable[] = []): void => port.postMessage(message, transfer);

const HANDLERS: { [T in ToFrame["type"]]: (message: Extract<ToFrame, { type: T }>) => void } = {
  load: ({ library }) => void load(library.name, library.bytes),
  render: (message) => void render(message),
  theme: ({ theme }) => setTheme(theme),
  keys: ({ chords }) => wantKeys(chords),
  zoomed: ({ on }) => setZoomed(on),
  sizing: (message) => setSizing(message.sizing),
  snapshot: (message) => void sendSnapshot(message),
  comms: (message) => line?.resolve(message.port),
  ping: () => send({ type: "pong" }),
};

/** What `document.open()` takes away and the frame needs again. */
function listen(): void {
  forwardInput(send);
  forwardCamera(send);
  addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) => {
    if (/^(?:https?|wss?):/.test(blockedURI)) refused(new URL(blockedURI), effectiveDirective.replace(/-src.*/, ""));
  });
  addEventListener("error", ({ message }) => message && notice(`JavaScript: ${message}`));
  addEventListener("unhandledrejection", ({ reason }) => notice(`JavaScript: ${words(reason)}`));
}

const notice = (text: string): void => send({ type: "notice", text: cut(text) });

/** Tells what was not loaded, and why: a relative address would be one of the hub, which has no files for outputs. */
function refused({ protocol, host, pathname }: URL, kind: string, what = `${kind} from ${host}`): void {
  if (host === location.host) return notice(`no files beside outputs: ${kind} ${pathname.replace(/.*\//, "")} was not loaded`);
  notice(`no network in outputs: ${what} was not loaded`);
  if (protocol === "https:") send({ type: "blocked", host });
}

/** The hosts that the user has allowed to this output. The browser holds to the policy, whatever is said here. */
const allowed = new Set(new URLSearchParams(location.search).get("hosts")?.split(","));

/** Whether the user has allowed an address; if not, it is told that it was asked for. */
function reaches(address: string): boolean {
  const url = URL.parse(address);
  if (!url || !/^https?:$/.test(url.protocol)) return false;
  if (url.protocol === "https:" && allowed.has(url.host)) return true;
  refused(url, "data", `the data at ${address}`);
  return false;
}

// -- libraries --------------------------------------------------------------------------------------------------------

async function load(library: LibraryName, bytes: ArrayBuffer): Promise<void> {
  const script = document.createElement("script");
  script.src = URL.createObjectURL(new Blob([bytes], { type: "text/javascript" }));
  script.onload = () => {
    URL.revokeObjectURL(script.src);
    script.remove();
    loaded(library).resolve();
    send({ type: "loaded", name: library });
  };
  document.head.append(script);
}

/** The promise of a library; made by whoever speaks of it first. */
function loaded(library: LibraryName): PromiseWithResolvers<void> {
  const known = loading.get(library);
  if (known) return known;
  const promise = Promise.withResolvers<void>();
  loading.set(library, promise);
  return promise;
}

async function library<T>(wanted: LibraryName): Promise<T> {
  if (!loading.has(wanted)) send({ type: "want", name: wanted });
  await loaded(wanted).promise;
  return (globalThis as Record<string, unknown>)[LIBRARIES[wanted].global] as T;
}

/** The line to the comms of the output's session, asked for when something wants it. */
function comms(): Promise<MessagePort> {
  if (!line) {
    line = Promise.withResolvers<MessagePort>();
    send({ type: "comms" });
  }
  return line.promise;
}

// -- rendering --------------------------------------------------------------------------------------------------------

async function render(message: Render): Promise<void> {
  setTheme(message.theme);
  const { turn, renderer } = message;
  try {
    await draw(RENDERERS[renderer as FrameRendererName], bundleOf(message), message.fresh);
    await painted();
    send({ type: "ready", turn });
  } catch (error) {
    shown = undefined;
    showError(error);
    send({ type: "failed", turn, message: cut(words(error)) });
    return;
  }
  await sendPicture(RENDERERS[renderer as FrameRendererName], turn);
}

async function draw(renderer: Renderer, bundle: Bundle, fresh: boolean): Promise<void> {
  shown = renderer;
  if (cleanup && !fresh && renderer.update) return renderer.update(output(), bundle);
  if (cleanup && fresh) empty();
  const rendering = renderer.render(output(), bundle);
  if (renderer === html) listen();
  const previous = cleanup;
  cleanup = await rendering;
  previous?.();
  if (bundle.sizing !== sizing) await renderer.size?.(output(), sizing);
}

function setSizing(wanted: Sizing): void {
  if (JSON.stringify(wanted) === JSON.stringify(sizing)) return;
  sizing = wanted;
  if (cleanup) void shown?.size?.(output(), wanted);
}

/** Nothing of the output before is left. */
function empty(): void {
  cleanup?.();
  cleanup = undefined;
  document.getElementById("output")?.remove();
  scrollTo(0, 0);
}

function bundleOf({ mime, bytes, metadata, companions }: Render): Bundle {
  return { mime, bytes: new Uint8Array(bytes), metadata, companions, library, comms, draw: drawPart, notice, reaches, sizing };
}

/** Draws something that is a part of what is shown. */
async function drawPart(el: HTMLElement, mime: string, bytes: Uint8Array, metadata: Record<string, unknown>): Promise<Cleanup> {
  const renderer = RENDERERS[family(mime).renderer as FrameRendererName];
  const companions = { assets: [], preludes: [] };
  return renderer.render(el, { mime, bytes, metadata, companions, library, comms, draw: drawPart, notice, reaches, sizing: FILL });
}

function output(): HTMLElement {
  const known = document.getElementById("output");
  if (known) return known;
  const el = document.createElement("div");
  el.id = "output";
  document.body.replaceChildren(el);
  return el;
}

async function sendPicture(renderer: Renderer, turn: number): Promise<void> {
  const blob = await renderer.picture?.(output()).catch(() => null);
  if (!blob) return;
  const bytes = await blob.arrayBuffer();
  send({ type: "picture", turn, bytes }, [bytes]);
}

async function sendSnapshot({ number, shot }: Extract<ToFrame, { type: "snapshot" }>): Promise<void> {
  try {
    const bytes = (await (await taken(shot))?.arrayBuffer()) ?? null;
    send({ type: "snapshot", number, bytes, problem: "" }, bytes ? [bytes] : []);
  } catch (error) {
    send({ type: "snapshot", number, bytes: null, problem: cut((error as Error).message) });
  }
}

/** A picture of what is shown, by what shows it if that makes any, else of the document. */
async function taken(shot: Shot): Promise<Blob | null> {
  if (shot.small && shown?.picture) return shown.picture(output());
  if (shown?.snapshot) return shown.snapshot(output(), shot);
  if (shot.own) return null;
  return page.snapshot(await library<page.Screenshot>("screenshot"), shot, notice);
}

function showError(error: unknown): void {
  const pre = document.createElement("pre");
  pre.className = "error";
  pre.textContent = words(error);
  output().replaceChildren(pre);
}

function words(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** A whole document of the user's keeps its own colours. */
function setTheme(theme: Theme): void {
  const root = document.documentElement;
  const ours = document.getElementById("output") !== null || root.hasAttribute("data-fragment") || cleanup === undefined;
  if (ours) root.dataset.theme = theme;
}
