/**
 * Stop strings: ends a streamed text before the first complete stop string, and never shows a part of one.
 */

/**
 * Watches a text that arrives in pieces. The pieces decide when text is shown, never which text. Of several stop
 * strings the one counts whose last character comes first; of those that end there, the longest.
 */
export class StopDetector {
  readonly #stops: readonly string[];
  #held = "";
  /** True if a stop string has been seen; nothing more comes then. */
  stopped = false;

  /** @param stops Empty strings are left out. */
  constructor(stops: readonly string[]) {
    // Longest first: of several that end at the same place, the longest begins first.
    this.#stops = stops.filter((stop) => stop.length > 0).toSorted((a, b) => b.length - a.length);
  }

  /** Takes a piece; returns what can be shown now. What may be the start of a stop string is held back. */
  push(piece: string): string {
    if (this.stopped) return "";
    const text = this.#held + piece;
    const first = this.#firstIn(text);
    if (first !== undefined) {
      this.stopped = true;
      this.#held = "";
      return text.slice(0, first.start);
    }
    const keep = Math.max(0, ...this.#stops.map((stop) => partialEnd(text, stop)));
    this.#held = text.slice(text.length - keep);
    return text.slice(0, text.length - keep);
  }

  /** Returns the text that was held back and turned out not to be a stop string. */
  flush(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }

  /** Finds the stop string that is complete first. */
  #firstIn(text: string): { readonly start: number; readonly end: number } | undefined {
    let first: { readonly start: number; readonly end: number } | undefined;
    for (const stop of this.#stops) {
      const start = text.indexOf(stop);
      const end = start + stop.length;
      if (start >= 0 && (first === undefined || end < first.end)) first = { start, end };
    }
    return first;
  }
}

/** The longest proper start of `stop` that `text` ends with, in characters. */
function partialEnd(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
