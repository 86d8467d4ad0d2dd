/**
 * Progress of work that takes more than a second, with the time left: a bar on a terminal, a few lines elsewhere. Both go
 * to stderr, so that stdout holds the program's result alone.
 */
import { byteUnit, formatBytes, formatCount } from "../../report/units.ts";
import { aboveDisplay, type Display, display } from "./display.ts";
import { Pace } from "./pace.ts";

/** A display of the progress of one piece of work. */
export interface ProgressBar {
  /**
   * Begins, in place of an earlier bar. `done` at the start does not count for the speed. Without a total, the time since
   * the start is shown in place of the time left.
   */
  start(what: string, total?: number, unit?: string, done?: number): void;
  /** Shows that `done` of the total is done. */
  update(done: number, what?: string): void;
  say(line: string): void;
  /** Removes the display; a second call does nothing. */
  stop(): void;
}

/** Makes a display on this process's stderr. Several may be shown at once. */
export function progressBar(): ProgressBar {
  const shown = display();
  return shown === undefined ? new Lines() : new TerminalBar(shown);
}

/** Calls `work` with a display that is removed when it ends. */
export async function withProgress<T>(work: (bar: ProgressBar) => Promise<T>): Promise<T> {
  const bar = progressBar();
  try {
    return await work(bar);
  } finally {
    bar.stop();
  }
}

/** Least time between two drawings after reports, in ms. */
const REDRAW_MS = 100;
/** Time between two drawings without a report, in ms. */
const TICK_MS = 500;

/** A bar on a terminal. */
export class TerminalBar implements ProgressBar {
  readonly #display: Display;
  #pace = new Pace(0);
  #done = 0;
  #what = "";
  #unit = "";
  #started = 0;
  #drawn = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param display Display to draw on. */
  constructor(display: Display) {
    this.#display = display;
  }

  start(what: string, total = NaN, unit = "", done = 0): void {
    this.#what = what;
    this.#unit = unit;
    this.#done = done;
    this.#pace = new Pace(total, done);
    this.#started = performance.now();
    this.#timer ??= setInterval(() => this.#draw(), TICK_MS);
    this.#draw();
  }

  /** Shows that `done` of the total is done. */
  update(done: number, what: string = this.#what): void {
    if (this.#timer === undefined) return;
    const other = what !== this.#what;
    this.#what = what;
    this.#done = done;
    this.#pace.update(done);
    if (other || performance.now() - this.#drawn >= REDRAW_MS) this.#draw();
  }

  /** Shows a line above. */
  say(line: string): void {
    this.#display.above(() => console.error(line));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#display.remove(this);
  }

  #draw(): void {
    this.#drawn = performance.now();
    this.#display.show(this, [
      Number.isNaN(this.#pace.total)
        ? { text: [this.#what, sayElapsed(this.#drawn - this.#started)].filter(Boolean).join("  ") }
        : {
          text: this.#what,
          bar: {
            share: this.#pace.total > 0 ? Math.min(1, this.#done / this.#pace.total) : 1,
            after: [sayLeft(this.#pace), ...sayAmounts(this.#done, this.#pace, this.#unit)].filter(Boolean),
          },
        },
    ]);
  }
}

/** Time in which nothing is printed, in ms. */
const QUIET_MS = 10_000;

/** Progress as a line at each quarter of long work. */
class Lines implements ProgressBar {
  #unit = "";
  #what = "";
  #quarter = 0;
  #started = 0;
  #pace: Pace | undefined;

  start(what: string, total = NaN, unit = "", done = 0): void {
    this.#unit = unit;
    this.#what = what;
    this.#quarter = Math.floor(4 * done / total);
    this.#started = performance.now();
    this.#pace = new Pace(total, done);
  }

  update(done: number, what: string = this.#what): void {
    const pace = this.#pace;
    if (pace === undefined) return;
    pace.update(done);
    const quarter = Math.floor(4 * done / pace.total);
    if (!(quarter > this.#quarter) || performance.now() - this.#started < QUIET_MS) return;
    this.#quarter = quarter;
    console.error(
      `${what}: ${[...sayAmounts(done, pace, this.#unit), sayLeft(pace)].filter(Boolean).join(", ")}`,
    );
  }

  say(line: string): void {
    aboveDisplay(() => console.error(line));
  }

  stop(): void {
    this.#pace = undefined;
  }
}

/** Formats amounts and, for bytes, the speed: "1.5 of 3.0 MiB", "0.5 MiB/s"; "3 of 7 runs"; "6.4M of 7.8M parameters". */
function sayAmounts(done: number, { total, perSecond }: Pace, unit: string): string[] {
  if (unit === "bytes") {
    const { name, bytes } = byteUnit(total);
    const [some, all] = [done, total].map((value) => (value / bytes).toFixed(bytes === 1 ? 0 : 1));
    return [`${some} of ${all} ${name}`, ...(perSecond === undefined ? [] : [`${formatBytes(perSecond)}/s`])];
  }
  const say = total < 1e6 ? formatCount : (value: number) => `${(value / 1e6).toFixed(total < 1e8 ? 1 : 0)}M`;
  return [`${say(done)} of ${say(total)} ${unit}`];
}

/** Formats the time left, rounded up; empty while it is unknown, and at the end. */
function sayLeft({ secondsLeft }: Pace): string {
  return !secondsLeft ? "" : `${sayTime(Math.ceil(secondsLeft))} left`;
}

/** Formats the time since the start; empty in the first second. */
function sayElapsed(ms: number): string {
  return ms < 1000 ? "" : `${sayTime(Math.floor(ms / 1000))} so far`;
}

function sayTime(seconds: number): string {
  return seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
