/**
 * The roofline of a profile: the speed of each kernel by its operations per byte. S. Williams, A. Waterman and D.
 * Patterson, "Roofline: an insightful visual performance model for multicore architectures" (2009).
 */
import type { ProfileResult } from "../../measure/profile/profile_result.ts";
import { inEnglish, type Say } from "../lang.ts";
import type { LineFigure, LineSeries } from "./figure.ts";

type Kernel = ProfileResult["kernels"][number];

/** Charts the kernels that multiply and add, below the best speeds of the adapter in the same run. */
export function rooflineFigure(
  { peaks, kernels, prefill_kernels, what }: ProfileResult,
  t: Say = inEnglish,
): LineFigure {
  const { gb_per_s: bandwidth, gmacs_per_s: arithmetic } = peaks;
  const points = (list: readonly Kernel[]) =>
    list.filter(({ operations, bytes, ms }) => operations > 0 && bytes > 0 && ms > 0).map((kernel) => ({
      kernel,
      intensity: kernel.operations / kernel.bytes,
      speed: kernel.operations / kernel.ms / 1e6,
    }));
  const [decode, prefill] = [points(kernels), points(prefill_kernels)];
  const all = [...decode, ...prefill];
  const ridge = arithmetic / bandwidth;
  const xs = [...all.map(({ intensity }) => intensity), ridge];
  const [min, max] = [Math.min(...xs) / 2, Math.max(...xs) * 2];
  const roof = (x: number) => Math.min(arithmetic, bandwidth * x);
  const ys = [...all.map(({ speed }) => speed), arithmetic];
  const series = (name: string, colour: "decode" | "prefill", of: typeof all): LineSeries => ({
    name,
    colour,
    points: of.map(({ intensity, speed }) => [intensity, speed]),
    labels: of.map(({ kernel }) => kernel.kernel.replace(/ \(.*/, "")),
    marks: "only points",
  });
  return {
    kind: "lines",
    id: "roofline",
    title: t`Roofline`,
    caption:
      t`Each kernel of a prefill and of ${what}. The line is this adapter's best in the same run: memory
        bandwidth on the slope, arithmetic on the plateau. A kernel whose data stays in a cache can lie above it.`,
    x: { title: t`multiply-adds per byte, log scale`, unit: t`per byte`, log: true, min, max },
    y: {
      title: t`G multiply-adds/s, log scale`,
      unit: "G/s",
      log: true,
      min: Math.min(...ys, roof(min)) / 2,
      max: Math.max(...ys) * 2,
    },
    series: [
      { name: t`roof`, colour: "roof", points: [min, ridge, max].map((x) => [x, roof(x)]), marks: "none" },
      series(t`prefill`, "prefill", prefill),
      series(t`decode step`, "decode", decode),
    ],
    table: {
      head: [t`step`, t`kernel`, t`calls`, "ms", t`bytes`, t`multiply-adds`],
      rows: [["prefill", prefill_kernels] as const, ["decode", kernels] as const].flatMap(([step, list]) =>
        list.map(({ kernel, dispatches, ms, bytes, operations }) => [
          step,
          kernel,
          dispatches,
          ms,
          bytes,
          operations,
        ])
      ),
    },
  };
}
