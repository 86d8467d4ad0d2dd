/**
 * Progress on stderr: a bar on a terminal, a few lines elsewhere, so that stdout stays the program's result.
 *
 * @module
 */
import cliProgress from "npm:cli-progress@3.12.0";
import { formatBytes, formatCount } from "../report/units.ts";
import { Pace } from "./pace.ts";

/** Shows how far a piece of work is. */
export interface ProgressBar {
  /** Begins; a bar that was shown before is ended. What is done already is not counted as speed. */
  start(what: string, total: number, unit: string, done?: number): void;
  /** Shows that `done` of the total is done. */
  update(done: number, what?: string): void;
  /** Shows a line besides. */
  say(line: string): void;
  /** Ends; a second call does nothing. */
  stop(): void;
}

/** Makes one for this process's stderr. */
export function progressBar(): ProgressBar {
  return Deno.stderr.isTerminal() ? new TerminalBar() : new Lines();
}

class TerminalBar implements ProgressBar {
  #bar: cliProgress.SingleBar | undefined;
  #pace = new Pace(0);
  #what = "";
  #unit = "";

  start(what: string, total: number, unit: string, done = 0): void {
    this.stop();
    this.#what = what;
    this.#unit = unit;
    this.#pace = new Pace(total, done);
    this.#bar = new cliProgress.SingleBar({
      format: "{bar} {percentage}% | {text}",
      barsize: 24,
      clearOnComplete: true,
      hideCursor: true,
    }, cliProgress.Presets.shades_classic);
    this.#bar.start(total, done, { text: this.#text(done) });
  }

  update(done: number, what: string = this.#what): void {
    this.#what = what;
    this.#pace.update(done);
    this.#bar?.update(done, { text: this.#text(done) });
  }

  say(line: string): void {
    this.stop();
    console.error(line);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #text(done: number): string {
    return [amount(done, this.#pace, this.#unit), left(this.#pace), this.#what].filter(Boolean).join(" | ");
  }
}

/** Work that is done sooner needs no word. */
const QUIET_MS = 10_000;

/** A line at each quarter of work that takes long. */
class Lines implements ProgressBar {
  #unit = "";
  #what = "";
  #quarter = 0;
  #started = 0;
  #pace: Pace | undefined;

  start(what: string, total: number, unit: string, done = 0): void {
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
    if (quarter <= this.#quarter || performance.now() - this.#started < QUIET_MS) return;
    this.#quarter = quarter;
    console.error(
      [`${amount(done, pace, this.#unit)} (${what})`, done < pace.total && left(pace)].filter(Boolean).join(
        ", ",
      ),
    );
  }

  say(line: string): void {
    console.error(line);
  }

  stop(): void {
    this.#pace = undefined;
  }
}

/** "1.5 of 3.0 MiB, 0.5 MiB/s", or "3 of 7 runs". */
function amount(done: number, { total, perSecond }: Pace, unit: string): string {
  if (unit !== "bytes") return `${formatCount(done)} of ${formatCount(total)} ${unit}`;
  const speed = perSecond === undefined ? "" : `, ${formatBytes(perSecond)}/s`;
  return `${formatBytes(done)} of ${formatBytes(total)}${speed}`;
}

function left({ secondsLeft }: Pace): string {
  if (secondsLeft === undefined) return "";
  const seconds = Math.ceil(secondsLeft);
  return seconds < 100 ? `${seconds} s left` : `${Math.ceil(seconds / 60)} min left`;
}
