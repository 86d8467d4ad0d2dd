/** The terminal report of a profile: a line per kernel, and the account of a step's time. */
import { leastMs } from "../gpu/roof.ts";
import type { ProfileResult } from "../measure/profile/profile_result.ts";
import { GPU_KINDS } from "../measure/profile/starving.ts";
import { drawTable } from "./text_table.ts";
import { formatMs, formatPercent, formatSignificant } from "./units.ts";
import { wrap } from "./wrap.ts";

type Kernel = ProfileResult["kernels"][number];
type Peaks = ProfileResult["peaks"];

/**
 * Returns the report as lines of text, no newline at the end.
 *
 * @param wide Shows all columns. Default: those that fit 80 columns.
 */
export function profileTable(
  result: ProfileResult,
  { wide = false }: { readonly wide?: boolean } = {},
): string {
  const { peaks, step, kernels, prefill_kernels: prefill, prompt_tokens: tokens, batch = 1 } = result;
  const accounted = (gpuMs: number) => formatPercent(gpuMs + step.encode_ms + step.submit_ms, step.wall_ms);
  return [
    `Prefill of ${batch > 1 ? `${batch} × ` : ""}${tokens} tokens`,
    kernelTable(prefill, prefill.reduce((sum, { ms }) => sum + ms, 0), { peaks, wide }),
    "",
    `${result.what[0]!.toUpperCase()}${result.what.slice(1)}, median of ${result.steps}`,
    kernelTable(kernels, step.kernels_ms, { peaks, wide }),
    "",
    ...wrap(
      "An op is a multiply-add. MB: bytes of each operand, counted once. Of roof: the kernel's speed as a share of the " +
        `adapter's best, which is ${formatSignificant(peaks.gb_per_s)} GB/s of bandwidth and ` +
        `${
          formatSignificant(peaks.gmacs_per_s)
        } G ops/s of arithmetic. Of best: the time of the fastest variant of a ` +
        "matrix product, timed in turn with these steps, as a share of the kernel's time (only of one sequence).",
    ),
    ...wrap(
      "Groups: workgroups of a dispatch. Trips: reads of a lane one after another, of weight tiles or vectors. Starves: " +
        "the smallest kind of GPU, and so all larger ones, that would have more compute units than workgroups, or would " +
        `wait longer than work; of ${
          GPU_KINDS.map(({ kind, example }) => `${kind} (${example})`).join(", ")
        }. ` +
        "That is an estimate, and no measurement.",
    ),
    ...wrap(
      `A step without profiling takes ${formatMs(step.wall_ms)}: encode ${
        formatMs(step.encode_ms)
      } + submit ` +
        `${formatMs(step.submit_ms)} + kernels in one pass ${formatMs(step.pass_ms)} account for ` +
        `${accounted(step.pass_ms)} of it. Timed one by one, each in a pass of its own, its kernels take ` +
        `${formatMs(step.kernels_ms)}; with that, ${accounted(step.kernels_ms)} is accounted for.`,
    ),
  ].join("\n");
}

/**
 * Returns a kernel's share of the adapter's roof: the time that its bytes or its operations take at best, whichever is
 * longer, over the time that it took. Above 1 where its data stays in a cache.
 */
export function roofShare({ ms, bytes, operations }: Kernel, { gb_per_s, gmacs_per_s }: Peaks): number {
  const roof = { bytesPerSecond: 1e9 * gb_per_s, macsPerSecond: 1e9 * gmacs_per_s };
  return leastMs({ bytes, macs: operations }, roof) / ms;
}

/** Formats a number with 3 significant digits, but at most 3 decimals. */
function short(value: number): string {
  return value < 0.1 ? value.toFixed(3) : formatSignificant(value);
}

/** A column of a table of kernels. */
interface Column {
  readonly title: string;
  /** True if it is left out unless there is room. */
  readonly wide?: true;
  of(row: Row): string;
}

const COLUMNS: readonly Column[] = [
  { title: "calls", wide: true, of: ({ dispatches }) => `${dispatches}` },
  { title: "ms", of: ({ ms }) => short(ms) },
  { title: "of all", of: ({ ms, total }) => formatPercent(ms, total) },
  { title: "MB", of: ({ bytes }) => short(bytes / 1e6) },
  { title: "M ops", wide: true, of: ({ operations }) => short(operations / 1e6) },
  { title: "GB/s", wide: true, of: ({ bytes, ms }) => short(bytes / ms / 1e6) },
  { title: "G ops/s", wide: true, of: ({ operations, ms }) => short(operations / ms / 1e6) },
  { title: "of roof", of: (row) => formatPercent(roofShare(row, row.peaks), 1) },
  { title: "groups", of: ({ workgroups }) => whole(workgroups) },
  { title: "lanes", wide: true, of: ({ way }) => whole(way?.lanes) },
  { title: "trips", of: ({ way }) => whole(way?.trips) },
  { title: "waits", wide: true, of: ({ way }) => whole(way?.waits) },
  { title: "lines", wide: true, of: ({ way }) => way === undefined ? "" : short(way.lines) },
  { title: "starves", of: ({ starves_on }) => starves_on ?? "" },
];
const OF_BEST: Column = {
  title: "of best",
  wide: true,
  of: ({ best_ms, ms }) => best_ms === undefined ? "" : formatPercent(best_ms, ms),
};

function whole(value: number | undefined): string {
  return value === undefined ? "" : `${value}`;
}

/** A kernel, or all together, with what its shares are of. */
type Row = Kernel & { readonly total: number; readonly peaks: Peaks };

/** @param total Time of all kernels together, to which medians over steps do not add up. */
function kernelTable(kernels: readonly Kernel[], total: number, { peaks, wide }: TableContext): string {
  const best = kernels.some(({ best_ms }) => best_ms !== undefined) ? [OF_BEST] : [];
  const columns = [...COLUMNS, ...best].filter((column) => wide || !column.wide);
  const sum = (key: "dispatches" | "bytes" | "operations") =>
    kernels.reduce((sum, kernel) => sum + kernel[key], 0);
  const all = { dispatches: sum("dispatches"), bytes: sum("bytes"), operations: sum("operations") };
  const rows = [...kernels, { kernel: "all", ms: total, ...all }].map((each) => [
    wide ? each.kernel : each.kernel.replace(/ \(.*\)$/, ""), // the file takes room
    ...columns.map(({ of }) => of({ ...each, total, peaks })),
  ]);
  return drawTable(rows, { head: ["kernel", ...columns.map(({ title }) => title)] });
}

/** Peaks and columns that the tables of a profile share. */
interface TableContext {
  readonly peaks: Peaks;
  readonly wide: boolean;
}
