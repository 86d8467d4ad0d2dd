/** The speed of a piece of work, and the time that is left of it. */

/** Window of the speed, in ms: long enough to be steady, short enough to follow changes. */
const WINDOW_MS = 5000;

/** The pace of one piece of work. */
export class Pace {
  /** Amount of work in all. */
  readonly total: number;
  readonly #now: () => number;
  #marks: Mark[];
  #last: Mark;

  /**
   * Starts the clock.
   *
   * @param total Amount of work.
   * @param done Amount done before, which does not count for the speed.
   * @param now Reads a clock, in ms.
   */
  constructor(total: number, done = 0, now: () => number = () => performance.now()) {
    this.total = total;
    this.#now = now;
    this.#last = { at: now(), done };
    this.#marks = [this.#last];
  }

  /** Notes the amount done so far. */
  update(done: number): void {
    const last = this.#last = { at: this.#now(), done };
    // Some marks are enough: a download comes in tens of thousands of pieces.
    if (last.at - this.#marks.at(-1)!.at >= WINDOW_MS / 50) this.#marks.push(last);
    // One mark before the window is kept, so that the speed is over all of it.
    while ((this.#marks[1]?.at ?? Infinity) <= last.at - WINDOW_MS) this.#marks.shift();
  }

  /** Speed over the window; undefined while it is unknown. */
  get perSecond(): number | undefined {
    const first = this.#marks[0]!;
    const seconds = (this.#last.at - first.at) / 1000;
    return seconds > 0 ? Math.max(0, this.#last.done - first.done) / seconds : undefined;
  }

  /** Time left at that speed, in seconds; undefined while it is unknown. */
  get secondsLeft(): number | undefined {
    const speed = this.perSecond;
    return speed ? (this.total - this.#last.done) / speed : undefined;
  }
}

interface Mark {
  readonly at: number;
  readonly done: number;
}
