/**
 * Lines at the bottom of the terminal on stderr, redrawn in place: the process's one display for all progress. It writes
 * only on request, so that it does not disturb measured runs.
 */
import process from "node:process";
import cliProgress from "npm:cli-progress@3.12.0";

interface Row {
  /** Text, before the bar if there is one. */
  readonly text: string;
  /** A bar with the share done, and texts behind it, as many as fit. */
  readonly bar?: { readonly share: number; readonly after: readonly string[] };
}

/** A terminal to draw on. */
interface Screen {
  readonly isTTY: boolean;
  readonly columns: number;
  /** Writes text and control sequences. */
  write(text: string): unknown;
}

const BAR_CELLS = 12;

/** A display of rows, grouped by owner, in the owners' order of arrival. */
export class Display {
  readonly #screen: Screen;
  readonly #rows = new Map<object, readonly Row[]>();
  #bars: ReturnType<typeof makeBars> | undefined;
  #drawn: Bar[] = [];

  /** @param screen Terminal to draw on. */
  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Present width of the terminal. */
  get columns(): number {
    return this.#screen.columns;
  }

  /** Shows rows in place of the owner's earlier ones. */
  show(owner: object, rows: readonly Row[]): void {
    this.#rows.set(owner, rows);
    this.#draw();
  }

  /** Removes an owner's rows, if it has any. */
  remove(owner: object): void {
    if (this.#rows.delete(owner)) this.#draw();
  }

  /** Calls `write`, whose output to the same terminal appears above the rows. */
  above<T>(write: () => T): T {
    this.#hide();
    try {
      return write();
    } finally {
      this.#draw();
    }
  }

  #draw(): void {
    const rows = [...this.#rows.values()].flat();
    if (rows.length !== this.#drawn.length) this.#hide();
    if (rows.length === 0) return;
    const bars = this.#bars ??= makeBars(this.#screen);
    for (const [i, row] of rows.entries()) {
      const bar = this.#drawn[i] ??= bars.create(1, 0, {});
      bar.update(row.bar?.share ?? 0, { row });
    }
    bars.update();
  }

  #hide(): void {
    this.#bars?.stop();
    this.#bars = undefined;
    this.#drawn = [];
  }
}

interface Bar {
  update(share: number, payload: { readonly row: Row }): void;
}

function makeBars(stream: Screen) {
  return new cliProgress.MultiBar({
    stream,
    format: sayRow,
    barsize: BAR_CELLS,
    clearOnComplete: true,
    // Both would persist after a signal that ends the process.
    hideCursor: false,
    linewrap: true,
    // Nothing is drawn by a timer.
    fps: 1 / 3600,
  }, cliProgress.Presets.shades_classic);
}

function sayRow(
  options: unknown,
  { maxWidth }: { readonly maxWidth: number },
  { row }: { readonly row?: Row },
): string {
  if (row === undefined) return "";
  if (row.bar === undefined) return row.text;
  const { share, after } = row.bar;
  const percent = `${Math.floor(100 * share)}`.padStart(3);
  let line = `${row.text} ${cliProgress.Format.BarFormat(share, options)} ${percent} %`;
  for (const part of after) {
    // A line as long as the terminal is wide would begin another.
    if (line.length + 2 + part.length < maxWidth) line += `  ${part}`;
  }
  return line;
}

let ofProcess: Display | undefined;

/** Returns the process's display; undefined if stderr is not a terminal. */
export function display(): Display | undefined {
  if (ofProcess === undefined && Deno.stderr.isTerminal()) ofProcess = new Display(process.stderr as Screen);
  return ofProcess;
}

/** Calls `write`, whose output appears above the display, if there is one. */
export function aboveDisplay<T>(write: () => T): T {
  return ofProcess === undefined ? write() : ofProcess.above(write);
}
