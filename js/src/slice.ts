/** Which items of a long list with items of one size are in view. */
export interface Slice {
  start: number;
  /** One after the last. */
  end: number;
}

/** Items beyond each edge that are drawn too, so that scrolling finds them there. */
const MARGIN = 4;

/**
 * @param position scroll position, `extent` the visible length, `stride` the length of one item; all in CSS pixels
 * @param count how many items there are
 */
export function visible(position: number, extent: number, stride: number, count: number): Slice {
  const start = Math.max(0, Math.floor(position / stride) - MARGIN);
  const end = Math.min(count, Math.ceil((position + extent) / stride) + MARGIN);
  return { start: Math.min(start, count), end };
}

/** The scroll position, as near as possible to `position`, at which item `index` is wholly in view. */
export function reveal(index: number, position: number, extent: number, stride: number): number {
  const top = index * stride;
  if (top < position) return top;
  return Math.max(position, top + stride - extent);
}
