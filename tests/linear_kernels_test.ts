/**
 * The linear kernels against their reference: awkward shapes, every combination of bias, GELU and residual,
 * and writing into columns of a wider result, as shards of the head do.
 *
 * @module
 */
import type { Gpu } from "../src/gpu/gpu.ts";
import type { Dtype } from "../src/gpu/dtype.ts";
import { batchOf } from "../src/model/batch.ts";
import { FILES, WEIGHT_FORMATS } from "../src/model/files.ts";
import { type LinearForm, linearRowForm, linearRowsForm } from "../src/model/kernels.ts";
import { packTiles, paddedEnd } from "../src/model/pack.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING, type Tuning } from "../src/model/tuning.ts";
import { linearCpu } from "../wgsl/linear_cpu.ts";
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
 * Per term of a sum, times the bias where that is larger than 1: an addition rounds by at most 2^-24 of a partial
 * sum, which is mostly below 3. A term that is wrong or missing changes the sum by about 0.3.
 */
const TOLERANCE_PER_TERM = 2e-7;

const ROW_COUNTS = [1, 2, 7, 8, 9, 65];
const SHAPES = [[4, 20], [20, 4], [18, 54], [20, 509], [80, 769], [772, 18], [768, 80]] as const;
const EPILOGUES = Array.from({ length: 8 }, (_, bits) => ({
  bias: (bits & 1) > 0,
  gelu: (bits & 2) > 0,
  residual: (bits & 4) > 0,
}));
/** Which kernels there are: one for few, one for many outputs of one row, one for many rows, in both tunings. */
const KERNELS = [SOFTWARE_TUNING, HARDWARE_TUNING].flatMap((tuning) => [
  { form: linearRowForm(tuning, 1), rowsPerGroup: 1, tuning },
  ...(tuning.kSplit > 1 ? [] : [{ form: linearRowForm(tuning, 1e6), rowsPerGroup: 1, tuning }]),
  { form: linearRowsForm(tuning), rowsPerGroup: 8, tuning },
]);

interface Case {
  readonly form: LinearForm;
  readonly rowsPerGroup: number;
  readonly tuning: Tuning;
  readonly nIn: number;
  readonly nOut: number;
  readonly bias?: boolean;
  readonly gelu?: boolean;
  readonly residual?: boolean;
  /** How the weights are stored. */
  readonly dtype?: Dtype;
  /** The result's width and first column in vectors of four, where the product fills a part of it. */
  readonly part?: { readonly yStride4: number; readonly yOffset4: number };
  /** What the bias is multiplied by. */
  readonly biasScale?: number;
}

/** Runs a kernel with each number of rows and compares the whole result, poison included. */
async function check(gpu: Gpu, item: Case): Promise<void> {
  const {
    form: { file, tilesPerLane, overrides },
    rowsPerGroup,
    tuning,
    nIn,
    nOut,
    bias = false,
    gelu = false,
    residual = false,
    dtype = "f32",
  } = item;
  const k4 = Math.ceil(nIn / 4), n4 = Math.ceil(nOut / 4);
  const { yStride4, yOffset4 } = item.part ?? { yStride4: n4, yOffset4: 0 };
  const k = paddedEnd(nIn, k4), n = paddedEnd(nOut, n4);
  const weight = randomArray(nIn * nOut, 1);
  const biasValues = randomArray(nOut, 2).map((value) => value * (item.biasScale ?? 1));
  const lanes = tuning.linearLanes;
  const { linear } = layoutsOf(gpu);
  const kernel = await compile(gpu, {
    files: [WEIGHT_FORMATS[dtype], FILES.linear, file],
    groups: [linear],
    overrides: {
      K4: k4,
      N4: n4,
      TILE_GROUP: tuning.tileGroup,
      Y_STRIDE4: yStride4,
      Y_OFFSET4: yOffset4,
      BIAS: Number(bias),
      GELU: Number(gelu),
      RESIDUAL: Number(residual),
      LANES: lanes,
      ...overrides,
    },
  });

  const scratch = new Scratch(gpu);
  const source = { values: weight, strideK: nOut, strideN: 1, k, n };
  const { tiles, scale } = packTiles(source, { tileGroup: tuning.tileGroup, dtype });
  const bound = {
    weight: scratch.upload(tiles),
    scale: scratch.upload(scale ?? new Float32Array(4).fill(NaN)),
    bias: scratch.upload(bias ? padRows(biasValues, { width: nOut, map: n }) : new Float32Array(4).fill(NaN)),
  };
  await Promise.all(ROW_COUNTS.map(async (nRows) => {
    // linear_rows.wgsl computes whole groups of rows: the surplus is poison in and out.
    const allRows = Math.ceil(nRows / rowsPerGroup) * rowsPerGroup;
    const x = randomArray(nRows * nIn, nRows), old = randomArray(nRows * nOut, nRows + 100);
    const xPadded = new Float32Array(allRows * k4 * 4).fill(NaN);
    xPadded.set(padRows(x, { width: nIn, map: k }));
    const place = (values: ArrayLike<number>) => {
      const rows = padRows(values, { width: nOut, map: n });
      const y = new Float32Array((allRows + 1) * yStride4 * 4).fill(NaN);
      for (let r = 0; r < nRows; r++) {
        y.set(rows.subarray(r * n4 * 4, (r + 1) * n4 * 4), (r * yStride4 + yOffset4) * 4);
      }
      return y;
    };
    const y = scratch.upload(residual ? place(old) : place([]));
    const group = linear.bind({ ...bound, x: scratch.upload(xPadded), y });
    runBatch(gpu, batchOf([{ sequence: 0, first: 0, count: nRows, outputs: 0 }]), (recorder) => {
      recorder.dispatch(
        kernel,
        [group],
        Math.ceil(n4 / (lanes * tilesPerLane)),
        allRows / rowsPerGroup,
      );
    });
    const expected = linearCpu(x, {
      weight: stored(weight, nOut, dtype),
      nIn,
      nOut,
      gelu,
      ...(bias && { bias: biasValues }),
      ...(residual && { residual: old }),
    });
    assertClose(await download(gpu, y), place(expected), {
      tolerance: TOLERANCE_PER_TERM * (nIn + 2) * Math.max(1, item.biasScale ?? 1),
      name: `${file.name}, ${nRows} rows of ${nIn} to ${nOut}, ${JSON.stringify({ bias, gelu, residual })}`,
      width: yStride4 * 4,
    });
  }));
  scratch.dispose();
}

/** What a matrix [nIn, nOut] is after it was stored. */
function stored(weight: Float32Array, nOut: number, dtype: Dtype): Float32Array {
  if (dtype === "f32") return weight;
  if (dtype === "f16") return weight.map(Math.f16round);
  const largest = new Float32Array(nOut);
  weight.forEach((value, i) => largest[i % nOut] = Math.max(largest[i % nOut]!, Math.abs(value)));
  return weight.map((value, i) => {
    const scale = Math.fround(largest[i % nOut]! / 127);
    return Math.round(value / scale) * scale;
  });
}

for (const kernel of KERNELS) {
  const title = `${kernel.form.file.name} with the ${kernel.tuning.name} tuning`;
  gpuTest(`${title} equals the reference at awkward shapes`, async (gpu) => {
    for (const [nIn, nOut] of SHAPES) await check(gpu, { ...kernel, nIn, nOut, bias: nOut % 2 === 0 });
  });
  gpuTest(`${title} applies every combination of bias, GELU and residual`, async (gpu) => {
    for (const epilogue of EPILOGUES) await check(gpu, { ...kernel, nIn: 20, nOut: 84, ...epilogue });
  });
  gpuTest(`${title} reads weights in float16 and in int8`, async (gpu) => {
    for (const dtype of ["f16", "int8"] as const) {
      for (const [nIn, nOut] of SHAPES) await check(gpu, { ...kernel, nIn, nOut, dtype, bias: true });
    }
  });
  gpuTest(`${title} fills its own columns of a wider result`, async (gpu) => {
    for (const yOffset4 of [0, 5, 12]) {
      await check(gpu, { ...kernel, nIn: 18, nOut: 61, part: { yStride4: 28, yOffset4 } });
    }
  });
  gpuTest(`${title} keeps GELU finite far from zero`, async (gpu) => {
    for (const biasScale of [30, 1e4]) {
      await check(gpu, { ...kernel, nIn: 4, nOut: 509, bias: true, gelu: true, biasScale });
    }
  });
}
