/**
 * The speed of a piece of work, and the time that is left of it.
 *
 * @module
 */

/** The time that the speed is taken over, in ms: long enough to be steady, short enough to follow a change. */
const WINDOW_MS = 5000;

/** Watches one piece of work. */
export class Pace {
  /** Amount of work in all. */
  readonly total: number;
  readonly #now: () => number;
  #marks: Mark[];
  #last: Mark;

  /**
   * Begins.
   *
   * @param total How much there is to do.
   * @param done How much is done already, which is not counted as speed.
   * @param now A clock, in ms.
   */
  constructor(total: number, done = 0, now: () => number = () => performance.now()) {
    this.total = total;
    this.#now = now;
    this.#last = { at: now(), done };
    this.#marks = [this.#last];
  }

  /** Notes that so much is done. */
  update(done: number): void {
    const last = this.#last = { at: this.#now(), done };
    // Some marks are enough: a download comes in tens of thousands of pieces.
    if (last.at - this.#marks.at(-1)!.at >= WINDOW_MS / 50) this.#marks.push(last);
    // One mark before the window is kept, so that the speed is over all of it.
    while ((this.#marks[1]?.at ?? Infinity) <= last.at - WINDOW_MS) this.#marks.shift();
  }

  /** Speed over the last seconds, or undefined while nothing can be said. */
  get perSecond(): number | undefined {
    const first = this.#marks[0]!;
    const seconds = (this.#last.at - first.at) / 1000;
    return seconds > 0 ? Math.max(0, this.#last.done - first.done) / seconds : undefined;
  }

  /** Seconds that the rest takes at that speed, or undefined while nothing can be said. */
  get secondsLeft(): number | undefined {
    const speed = this.perSecond;
    return speed ? (this.total - this.#last.done) / speed : undefined;
  }
}

interface Mark {
  readonly at: number;
  readonly done: number;
}
