/** `application/pdf`: pages by pdf.js, drawn as they come into view (a sandbox forbids the browser's own viewer). */
import { shrink } from "./picture.ts";
import type { Bundle, Cleanup } from "./renderer.ts";

interface Viewport {
  width: number;
  height: number;
}

interface Page {
  getViewport(options: { scale: number }): Viewport;
  render(options: { canvas: HTMLCanvasElement; viewport: Viewport }): { promise: Promise<void> };
}

interface Document {
  numPages: number;
  getPage(number: number): Promise<Page>;
}

interface Pdf {
  getDocument(options: object): { promise: Promise<Document>; destroy(): Promise<void> };
  GlobalWorkerOptions: { workerPort: Worker | null };
  PdfWorker: new () => Worker;
}

export async function render(el: HTMLElement, bundle: Bundle): Promise<Cleanup> {
  const pdf = await bundle.library<Pdf>("pdf");
  pdf.GlobalWorkerOptions.workerPort ??= new pdf.PdfWorker();
  // pdf.js hands the bytes to its worker and so takes them away from here.
  const task = pdf.getDocument({ data: bundle.bytes.slice(), useSystemFonts: true });
  const file = await task.promise;
  const pages = await Promise.all(Array.from({ length: file.numPages }, (_, i) => file.getPage(i + 1)));
  el.className = "";
  el.style.cssText = "display:grid;gap:16px;justify-content:center;padding:16px;box-sizing:border-box";
  const sheets = pages.map(sheet);
  el.replaceChildren(...sheets.map(({ canvas }) => canvas));
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) void sheets.find(({ canvas }) => canvas === target)!.draw();
    }
  }, { rootMargin: "100%" });
  sheets.forEach(({ canvas }) => observer.observe(canvas));
  await sheets[0]?.draw();
  return () => {
    observer.disconnect();
    void task.destroy();
  };
}

export async function picture(el: HTMLElement): Promise<Blob | null> {
  const canvas = el.querySelector("canvas");
  return canvas && shrink(canvas, canvas.width, canvas.height);
}

/** A page as wide as the frame allows; its pixels are drawn on the first `draw()`. */
function sheet(page: Page): { canvas: HTMLCanvasElement; draw(): Promise<void> } {
  const natural = page.getViewport({ scale: 1 });
  const fitted = Math.min((innerWidth - 32) / natural.width, Math.max(96 / 72, (innerHeight - 32) / natural.height));
  const canvas = document.createElement("canvas");
  canvas.style.cssText = `width:${natural.width * fitted}px;height:${natural.height * fitted}px;background:#fff;box-shadow:0 1px 4px rgb(0 0 0/.18)`;
  let drawing: Promise<void> | undefined;
  const draw = async () => {
    const viewport = page.getViewport({ scale: fitted * devicePixelRatio });
    canvas.width = Math.round(viewport.width);
    canvas.height = Math.round(viewport.height);
    await page.render({ canvas, viewport }).promise;
  };
  return { canvas, draw: () => (drawing ??= draw()) };
}
