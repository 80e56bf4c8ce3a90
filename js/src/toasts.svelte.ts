/** What was done, said for a moment, with how to undo it. */

export interface Toast {
  text: string;
  undo?: () => void;
}

/** Milliseconds for which a toast stays. */
const STAYS = 8000;

export class Toasts {
  current = $state.raw<Toast | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Say something in place of what was said before. */
  say(text: string, undo?: () => void): void {
    clearTimeout(this.#timer);
    this.current = undo ? { text, undo } : { text };
    this.#timer = setTimeout(() => this.end(), STAYS);
  }

  /** Do something; if it fails, say that it was not `done`, and why. */
  async attempt(done: string, doing: () => Promise<void>): Promise<void> {
    await doing().catch((error: Error) => this.say(`Not ${done}: ${error.message}`));
  }

  undo(): void {
    this.current?.undo?.();
    this.end();
  }

  end(): void {
    this.current = null;
  }
}
