/**
 * ipympl's front end writes each picture that it gets as a PNG file once more, for notebooks that are saved. Here the
 * session keeps the last picture, so that is left out: it takes longer than showing one.
 */

interface CanvasModel {
  readonly offscreen_canvas: { toDataURL(): unknown };
  get(key: "_data_url"): unknown;
  handle_binary(message: unknown, buffers: unknown): void;
}

/** Let canvases show pictures without writing them. @param module `jupyter-matplotlib`; one that has others is left alone */
export function spareWriting(module: unknown): void {
  const prototype = (module as { MPLCanvasModel?: { prototype: Partial<CanvasModel> } }).MPLCanvasModel?.prototype;
  const show = prototype?.handle_binary;
  if (!show) return;
  prototype.handle_binary = function (this: CanvasModel, ...received) {
    const canvas = this.offscreen_canvas;
    canvas.toDataURL = () => this.get("_data_url");
    try {
      show.apply(this, received);
    } finally {
      Reflect.deleteProperty(canvas, "toDataURL"); // whoever saves the figure needs a file
    }
  };
}
