/**
 * Progress on stderr: a bar on a terminal, a few lines elsewhere, so that stdout stays the program's result.
 *
 * @module
 */
import cliProgress from "npm:cli-progress@3.12.0";

/** Shows how far a piece of work is. */
export interface ProgressBar {
  /** Begins; a bar that was shown before is ended. */
  start(what: string, total: number, unit: string): void;
  /** Shows that `done` of the total is done. */
  update(done: number, what?: string): void;
  /** Ends; a second call does nothing. */
  stop(): void;
}

/** Makes one for this process's stderr. */
export function progressBar(): ProgressBar {
  return Deno.stderr.isTerminal() ? new TerminalBar() : new Lines();
}

class TerminalBar implements ProgressBar {
  #bar: cliProgress.SingleBar | undefined;

  start(what: string, total: number, unit: string): void {
    this.stop();
    this.#bar = new cliProgress.SingleBar({
      format: `{bar} {percentage}% | {value}/{total} ${unit} | {eta_formatted} left | {what}`,
      barsize: 24,
      clearOnComplete: true,
      hideCursor: true,
    }, cliProgress.Presets.shades_classic);
    this.#bar.start(total, 0, { what });
  }

  update(done: number, what?: string): void {
    this.#bar?.update(done, what === undefined ? {} : { what });
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}

/** Work that is done sooner needs no word. */
const QUIET_MS = 10_000;

/** A line at each quarter of work that takes long. */
class Lines implements ProgressBar {
  #total = 0;
  #unit = "";
  #what = "";
  #quarter = 0;
  #started = 0;

  start(what: string, total: number, unit: string): void {
    this.#total = total;
    this.#unit = unit;
    this.#what = what;
    this.#quarter = 0;
    this.#started = performance.now();
  }

  update(done: number, what: string = this.#what): void {
    const quarter = Math.floor(4 * done / this.#total);
    if (quarter <= this.#quarter || performance.now() - this.#started < QUIET_MS) return;
    this.#quarter = quarter;
    console.error(`${done} of ${this.#total} ${this.#unit} (${what})`);
  }

  stop(): void {}
}
