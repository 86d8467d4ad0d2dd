/**
 * The terminal report of a profile: a line per kernel, and the account of a step's time.
 *
 * @module
 */
import type { ProfileResult } from "../measure/profile/profile_result.ts";
import { drawTable } from "./text_table.ts";
import { formatMs, formatPercent, formatSignificant } from "./units.ts";
import { wrap } from "./wrap.ts";

type Kernel = ProfileResult["kernels"][number];
type Peaks = ProfileResult["peaks"];

/** Returns the report as lines of text, no newline at the end. */
export function profileTable(result: ProfileResult): string {
  const { peaks, step, kernels, prefill_kernels: prefill, prompt_tokens: tokens } = result;
  const accounted = (gpuMs: number) => formatPercent(gpuMs + step.encode_ms + step.submit_ms, step.wall_ms);
  return [
    `Prefill of ${tokens} tokens`,
    kernelTable(prefill, prefill.reduce((sum, { ms }) => sum + ms, 0), peaks),
    "",
    `${result.what[0]!.toUpperCase()}${result.what.slice(1)}, median of ${result.steps}`,
    kernelTable(kernels, step.kernels_ms, peaks),
    "",
    ...wrap(
      "An op is a multiply-add. MB: bytes of each operand, counted once. Of roof: the kernel's speed as a share of the " +
        `adapter's best, which is ${formatSignificant(peaks.gb_per_s)} GB/s of bandwidth and ` +
        `${
          formatSignificant(peaks.gmacs_per_s)
        } G ops/s of arithmetic. Of best: the time of the fastest variant of a ` +
        "matrix product, timed in turn with these steps, as a share of the kernel's time.",
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
  return Math.max(bytes / gb_per_s, operations / gmacs_per_s) / 1e6 / ms;
}

/** Formats a number with 3 significant digits, but at most 3 decimals. */
function short(value: number): string {
  return value < 0.1 ? value.toFixed(3) : formatSignificant(value);
}

/** @param total Time of all kernels together, to which medians over steps do not add up. */
function kernelTable(kernels: readonly Kernel[], total: number, peaks: Peaks): string {
  const best = kernels.some(({ best_ms }) => best_ms !== undefined);
  const head = ["kernel", "calls", "ms", "of all", "MB", "M ops", "GB/s", "G ops/s", "of roof"];
  const row = (each: Kernel) => {
    const { kernel, dispatches, ms, bytes, operations, best_ms } = each;
    return [
      kernel,
      dispatches,
      short(ms),
      formatPercent(ms, total),
      short(bytes / 1e6),
      short(operations / 1e6),
      short(bytes / ms / 1e6),
      short(operations / ms / 1e6),
      formatPercent(roofShare(each, peaks), 1),
      ...(best ? [best_ms === undefined ? "" : formatPercent(best_ms, ms)] : []),
    ];
  };
  const sum = (key: "dispatches" | "bytes" | "operations") =>
    kernels.reduce((sum, kernel) => sum + kernel[key], 0);
  const all = { dispatches: sum("dispatches"), bytes: sum("bytes"), operations: sum("operations") };
  const rows = [...kernels, { kernel: "all", ms: total, ...all }].map(row);
  return drawTable(rows, { head: best ? [...head, "of best"] : head });
}
