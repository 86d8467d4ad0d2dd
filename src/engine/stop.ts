/**
 * Stop strings: ends a streamed text before the first of them, without ever showing a part of one.
 *
 * @module
 */

/** Watches a text that arrives in pieces. */
export class StopDetector {
  readonly #stops: readonly string[];
  #held = "";
  /** Whether a stop string has been seen; nothing more comes then. */
  stopped = false;

  /** @param stops Empty strings are left out. */
  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop.length > 0);
  }

  /** Takes a piece; returns what can be shown now. What may be the start of a stop string is held back. */
  push(piece: string): string {
    if (this.stopped) return "";
    const text = this.#held + piece;
    const found = this.#stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.stopped = true;
      this.#held = "";
      return text.slice(0, Math.min(...found));
    }
    const keep = Math.max(0, ...this.#stops.map((stop) => partialEnd(text, stop)));
    this.#held = text.slice(text.length - keep);
    return text.slice(0, text.length - keep);
  }

  /** What was held back and turned out not to be a stop string. */
  flush(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }
}

/** The longest proper start of `stop` that `text` ends with, in characters. */
function partialEnd(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
