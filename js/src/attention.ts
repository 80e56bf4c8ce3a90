/** Whether somebody looks at the pane: not while its tab is hidden, nor when nobody has touched it for long. */

/** Milliseconds without any input after which nobody is taken to look. */
const IDLE = 10 * 60_000;
/** Milliseconds away from which on it was a break. */
const BREAK = 30_000;
/** Milliseconds between looks at the clock. */
export const LOOK_EVERY = 30_000;

export interface AttentionEvents {
  left(): void;
  /** @param long whether it was a break */
  back(long: boolean): void;
}

export class Attention {
  readonly #events: AttentionEvents;
  readonly #clock: () => number;
  #touched: number;
  #left: number | null = null;
  #hidden = false;

  constructor(events: AttentionEvents, clock: () => number = () => Date.now()) {
    this.#events = events;
    this.#clock = clock;
    this.#touched = clock();
  }

  /** The tab was hidden, or is seen again. */
  set hidden(hidden: boolean) {
    this.#hidden = hidden;
    if (hidden) this.#leave(this.#clock());
    else this.touch();
  }

  /** A key, the pointer, the wheel. */
  touch(): void {
    const now = this.#clock();
    this.#touched = now;
    if (this.#left === null || this.#hidden) return;
    const long = now - this.#left >= BREAK;
    this.#left = null;
    this.#events.back(long);
  }

  /** Time has gone by. */
  tick(): void {
    if (this.#clock() - this.#touched >= IDLE) this.#leave(this.#touched);
  }

  #leave(since: number): void {
    if (this.#left !== null) return;
    this.#left = since;
    this.#events.left();
  }
}
