/**
 * `layer_norm.wgsl` against its reference: padded widths, rows with a large mean, and gathered rows.
 *
 * @module
 */
import { batchOf } from "../src/model/batch.ts";
import { FILES } from "../src/model/files.ts";
import { paddedEnd } from "../src/model/pack.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { layerNormCpu } from "../wgsl/layer_norm_cpu.ts";
import {
  assertClose,
  compile,
  download,
  gpuTest,
  layoutsOf,
  padRows,
  randomArray,
  runBatch,
  Scratch,
} from "./gpu_support.ts";

/**
 * Elements are about 4 and have a rounding error of 2^-22, divided by a deviation of about 0.5; the sums over a
 * row add a few of it.
 */
const TOLERANCE = 5e-6;
const EPSILON = 1e-5;

for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
  for (const nEmbd of [4, 18, 20, 80, 768, 770]) {
    for (const gather of [false, true]) {
      const title = `width ${nEmbd}, ${gather ? "gathered rows" : "all rows"}, ${tuning.name} tuning`;
      gpuTest(`layer_norm.wgsl equals the reference (${title})`, async (gpu) => {
        const scratch = new Scratch(gpu);
        const { norm } = layoutsOf(gpu);
        const e4 = Math.ceil(nEmbd / 4);
        const map = paddedEnd(nEmbd, e4);
        const padded = (values: ArrayLike<number>) => padRows(values, { width: nEmbd, map });
        const kernel = await compile(gpu, {
          files: [FILES.step, FILES.layerNorm],
          groups: [norm],
          overrides: {
            E4: e4,
            N_EMBD: nEmbd,
            EPSILON,
            GATHER: Number(gather),
            LANES: tuning.normLanes,
          },
        });
        const gamma = randomArray(nEmbd, 1), beta = randomArray(nEmbd, 2);
        const parameters = { gamma: scratch.upload(padded(gamma)), beta: scratch.upload(padded(beta)) };
        for (const nRows of [1, 2, 7, 8, 9, 65]) {
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

          const x = scratch.upload(padded(values)), y = scratch.poisoned((nRows + 1) * e4 * 4);
          runBatch(gpu, batch, (recorder) => {
            recorder.dispatch(kernel, [norm.bind({ ...parameters, x, y })], rows?.length ?? nRows);
          });
          const expected = new Float32Array((nRows + 1) * e4 * 4).fill(NaN);
          expected.set(padded(layerNormCpu(wanted, { gamma, beta, epsilon: EPSILON })));
          assertClose(await download(gpu, y), expected, {
            tolerance: TOLERANCE,
            name: `${nRows} rows`,
            width: e4 * 4,
          });
        }
        scratch.dispose();
      });
    }
  }
}
