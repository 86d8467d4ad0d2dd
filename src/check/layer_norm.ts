/**
 * Checks `layer_norm.wgsl` against its reference, over all rows or over those that want logits.
 *
 * @module
 */
import { layerNormCpu } from "../../wgsl/ops/layer_norm/reference.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { batchOf } from "../model/batch.ts";
import { FILES, placeFiles } from "../model/files.ts";
import { paddedEnd } from "../model/pack.ts";
import type { Tuning } from "../model/tuning.ts";
import { compare, type Comparison } from "./comparison.ts";
import { compile, download, layoutsOf, runBatch, withScratch } from "./scratch.ts";
import { padRows, randomArray } from "./values.ts";

/**
 * Elements are about 4 and have a rounding error of 2^-22, divided by a deviation of about 0.5; the sums over a
 * row add a few of it.
 */
const TOLERANCE = 5e-6;
const EPSILON = 1e-5;

/** What is checked. */
export interface LayerNormCase {
  readonly nEmbd: number;
  /** Whether rows are normalised that want logits, and no others. */
  readonly gather: boolean;
  /** How many lanes there are, and where the result goes. */
  readonly tuning: Pick<Tuning, "normLanes" | "texels">;
  /** Rows, by batch. */
  readonly rowCounts: readonly number[];
}

/**
 * Runs the kernel once for each number of rows.
 *
 * @throws {KvbenchError} If it does not compile or the device fails.
 */
export async function checkLayerNorm(
  gpu: Gpu,
  { nEmbd, gather, tuning, rowCounts }: LayerNormCase,
): Promise<Comparison[]> {
  return await withScratch(gpu, async (scratch) => {
    const { norm } = layoutsOf(gpu, tuning);
    const e4 = Math.ceil(nEmbd / 4);
    const map = paddedEnd(nEmbd, e4);
    const padded = (values: ArrayLike<number>) => padRows(values, { width: nEmbd, map });
    const kernel = await compile(gpu, {
      files: [...placeFiles({ y: tuning }), FILES.layerNorm],
      groups: [norm],
      overrides: { E4: e4, N_EMBD: nEmbd, EPSILON, GATHER: Number(gather), LANES: tuning.normLanes },
    });
    const gamma = randomArray(nEmbd, 1), beta = randomArray(nEmbd, 2);
    const parameters = { gamma: scratch.upload(padded(gamma)), beta: scratch.upload(padded(beta)) };
    return await Promise.all(rowCounts.map(async (nRows) => {
      const values = randomArray(nRows * nEmbd, nRows).map((value) => value + 4);
      values.fill(4, 0, nEmbd); // a row without variance must not divide by zero
      // Two spans, so that the outputs are not simply the last rows.
      const first = Math.ceil(nRows / 2);
      const batch = batchOf([
        { sequence: 0, first: 0, count: first, outputs: 1 },
        { sequence: 1, first: 0, count: nRows - first, outputs: nRows - first },
      ]);
      const rows = gather ? [first - 1, ...Array(nRows - first).keys().map((i) => first + i)] : undefined;
      const wanted = rows?.flatMap((r) => [...values.subarray(r * nEmbd, (r + 1) * nEmbd)]) ?? values;
      const nothing = () => new Float32Array((nRows + 1) * e4 * 4).fill(NaN);
      const x = scratch.upload(padded(values)), y = scratch.vectors(nothing(), tuning);
      runBatch(gpu, batch, (recorder) => {
        recorder.dispatch(kernel, [norm.bind({ ...parameters, x, y })], rows?.length ?? nRows);
      });
      const expected = nothing();
      expected.set(padded(layerNormCpu(wanted, { gamma, beta, epsilon: EPSILON })));
      return compare(await download(gpu, y, expected.length), expected, {
        what: `${nRows} rows of ${nEmbd}`,
        tolerance: TOLERANCE,
        width: e4 * 4,
      });
    }));
  });
}
