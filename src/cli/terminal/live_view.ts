/**
 * `bench`'s view while it runs: the cells under way, their figures so far, and the time left. On a terminal it is redrawn
 * in place on stderr and removed at the end; elsewhere it is an occasional line.
 */
import type { CellPlan, GroupPlan } from "../../measure/run/grid.ts";
import type { Plan } from "../../measure/run/plan.ts";
import type { BenchResult, Unfinished } from "../../measure/record/result.ts";
import type { BenchProgress } from "../../measure/run/run.ts";
import { median } from "../../measure/statistics/statistics.ts";
import { e2ePrecision } from "../../measure/run/turns.ts";
import { cellLabels, saySettings } from "../../report/labels.ts";
import { formatMs, formatPercent } from "../../report/units.ts";
import type { Display } from "./display.ts";

/** State that the view shows. */
export interface LiveState {
  readonly plan: Pick<Plan, "runs" | "target_ci" | "max_seconds">;
  /** Index of the group under way, and number of groups. */
  index: number;
  groups: number;
  cells: GroupPlan;
  /** The present run and its cell. */
  doing: { what: string; cell: number };
  /** Measured runs of the group under way. */
  soFar: Pick<Unfinished, "timings" | "seconds">;
  /** Number of groups finished in this process, and time since its first one began, in seconds. */
  finished: number;
  elapsed: number;
  /** Time at which the group under way began. */
  began: number;
}

/** Formats the view as lines of at most `width` columns. */
export function renderLive(state: LiveState, width: number): string[] {
  const { cells, doing, soFar, index, groups } = state;
  const work = sayWork(cells[0]!);
  const head = `${groups > 1 ? `[${index + 1}/${groups}] ` : ""}${work}`;
  const labels = cellLabels(cells);
  const room = Math.max(...labels.map(({ length }) => length));
  const rows = labels.map((label, cell) => {
    const timings = soFar.timings[cell] ?? [];
    const e2e = timings.map(({ e2e_ms }) => e2e_ms);
    const precision = e2ePrecision(timings);
    const spread = Number.isFinite(precision) ? ` ±${formatPercent(precision, 1)}` : "";
    const figures = e2e.length === 0 ? "" : `${formatMs(median(e2e))}${spread}, ${sayRuns(e2e.length)}`;
    const now = doing.cell === cell ? `  ${doing.what}` : "";
    return `${doing.cell === cell ? "▸" : " "} ${label.padEnd(room)}  ${figures}${now}`.trimEnd();
  });
  return [head, ...rows, `  ${sayTime(state)}`].map((line) => [...line].slice(0, width).join(""));
}

/** Formats the settings that all cells of a group share. */
function sayWork({ settings }: CellPlan): string {
  const { prompt_tokens, new_tokens, batch } = settings;
  const more = batch === 1 ? "" : `, ${saySettings(settings, ["batch"])}`;
  return `${prompt_tokens} prompt + ${new_tokens} new tokens${more}`;
}

function sayRuns(runs: number): string {
  return runs === 1 ? "1 run" : `${runs} runs`;
}

/** Formats the time elapsed and the time left: by the time limit, or by the pace if the number of runs is given. */
function sayTime({ plan, soFar, finished, elapsed, began, index, groups }: LiveState): string {
  const rounds = soFar.timings[0]?.length ?? 0;
  const left = plan.runs === null
    ? Math.max(0, plan.max_seconds - soFar.seconds)
    : rounds === 0
    ? undefined
    : (plan.runs - rounds) * soFar.seconds / rounds;
  const perGroup = finished > 0
    ? began / finished
    : plan.runs === null
    ? plan.max_seconds
    : left && left + soFar.seconds;
  const spent = `${clock(elapsed)} elapsed`;
  if (left === undefined || perGroup === undefined) return spent;
  const total = left + perGroup * (groups - index - 1);
  return `${spent}, ${plan.runs === null ? "at most" : "about"} ${clock(total)} of runs left`;
}

/** Formats seconds as 1:05 or 2:03:04. */
function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A view of a bench's progress. */
interface LiveView extends BenchProgress {
  clear(): void;
}

/** Time between two lines without a display, in seconds. */
const LINE_SECONDS = 10;

interface LiveViewOptions {
  /** Prints a line if there is no display. Default: does nothing. */
  readonly say?: (line: string) => void;
  /** Reads a clock, in ms. Default: this process's. */
  readonly now?: () => number;
}

/** Shows the progress of `plan` on a display, or in lines without one. */
export function liveView(
  display: Display | undefined,
  plan: Plan,
  { say, now = () => performance.now() }: LiveViewOptions = {},
): LiveView {
  const start = now();
  const elapsed = () => (now() - start) / 1000;
  let state: LiveState | undefined;
  let said = 0;
  const owner = {};
  const draw = () => {
    if (!state) return;
    state.elapsed = elapsed();
    if (!display) {
      if (state.elapsed - said < LINE_SECONDS) return;
      said = state.elapsed;
      say?.(`Measuring ${sayWork(state.cells[0]!)}: ${sayTime(state)}`);
      return;
    }
    display.show(owner, renderLive(state, display.columns - 1).map((text) => ({ text })));
  };
  return {
    clear: () => display?.remove(owner),
    group(index, groups, cells) {
      const began = elapsed();
      state = {
        plan,
        index,
        groups,
        cells,
        doing: { what: "", cell: -1 },
        soFar: { timings: [], seconds: 0 },
        finished: state ? state.finished + 1 : 0,
        elapsed: began,
        began,
      };
    },
    run(what, cell) {
      if (state) state.doing = { what, cell };
      draw();
    },
    record({ unfinished }: BenchResult) {
      if (state && unfinished) state.soFar = unfinished;
    },
  };
}
