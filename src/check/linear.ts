/**
 * Checks the linear kernels against their reference: whole results, or columns of a wider one as shards of the head
 * fill them.
 *
 * @module
 */
import { linearCpu } from "../../wgsl/ops/linear/reference.ts";
import { DEFAULT_DTYPE, type Dtype, weightStorage } from "../formats/registry.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { batchOf } from "../model/batch.ts";
import { FILES, placeFiles } from "../model/files.ts";
import {
  type LinearForm,
  linearGrid,
  linearLayout,
  linearRowForm,
  linearRowsForms,
} from "../model/linear.ts";
import { packTiles, paddedEnd } from "../model/pack.ts";
import type { Tuning } from "../model/tuning.ts";
import { compare, type Comparison } from "./comparison.ts";
import { compile, download, layoutsOf, runBatch, withScratch } from "./scratch.ts";
import { padRows, randomArray } from "./values.ts";

/**
 * Per term of a sum, times the bias where that is larger than 1: an addition rounds by at most 2^-24 of a partial
 * sum, which is mostly below 3. A term that is wrong or missing changes the sum by about 0.3.
 */
const TOLERANCE_PER_TERM = 2e-7;

/** A kernel with the tuning that it belongs to. */
export interface LinearKernel {
  readonly form: LinearForm;
  readonly tuning: Tuning;
}

/** The kernels of a tuning: for few outputs of one row, for many, and for many rows. */
export function linearKernelsOf(tuning: Tuning): LinearKernel[] {
  return [
    linearRowForm(tuning, 1),
    ...(tuning.kSplit > 1 ? [] : [linearRowForm(tuning, Infinity)]),
    ...linearRowsForms(tuning),
  ].map((form) => ({ form, tuning }));
}

/** What is checked. */
export interface LinearCase extends LinearKernel {
  readonly nIn: number;
  readonly nOut: number;
  readonly bias?: boolean;
  readonly gelu?: boolean;
  readonly residual?: boolean;
  /** Whether another product reads the result. */
  readonly chained?: boolean;
  /** How the weights are stored. Default: in float32. */
  readonly dtype?: Dtype;
  /** The result's width and first column in vectors of four, where the product fills a part of it. */
  readonly part?: { readonly yStride4: number; readonly yOffset4: number };
  /** What the bias is multiplied by. */
  readonly biasScale?: number;
  /** Rows, by batch. */
  readonly rowCounts: readonly number[];
}

/**
 * Runs a kernel with each number of rows and compares the whole result, poison included.
 *
 * @throws {KvbenchError} If it does not compile or the device fails.
 */
export async function checkLinear(gpu: Gpu, item: LinearCase): Promise<Comparison[]> {
  const { form, tuning, nIn, nOut } = item;
  const {
    bias = false,
    gelu = false,
    residual = false,
    chained = false,
    dtype = DEFAULT_DTYPE,
    biasScale = 1,
  } = item;
  const { texels } = tuning, yTexels = texels && chained;
  const k4 = Math.ceil(nIn / 4), n4 = Math.ceil(nOut / 4);
  const { yStride4, yOffset4 } = item.part ?? { yStride4: n4, yOffset4: 0 };
  const k = paddedEnd(nIn, k4), n = paddedEnd(nOut, n4);
  const weight = randomArray(nIn * nOut, 1);
  const biasValues = randomArray(nOut, 2).map((value) => value * biasScale);
  const linear = linearLayout(layoutsOf(gpu, tuning), { chained });
  const places = placeFiles({
    weight: { dtype, texels },
    x: { texels },
    y: { texels: yTexels, added: residual },
  });
  const kernel = await compile(gpu, {
    files: [...places, FILES.linear, ...form.files],
    subgroups: form.subgroups ?? false,
    groups: [linear],
    overrides: {
      K4: k4,
      N4: n4,
      TILE_GROUP: tuning.tileGroup,
      Y_STRIDE4: yStride4,
      Y_OFFSET4: yOffset4,
      BIAS: Number(bias),
      GELU: Number(gelu),
      LANES: form.lanes,
      ...form.overrides,
    },
  });
  return await withScratch(gpu, async (scratch) => {
    const source = { values: weight, strideK: nOut, strideN: 1, k, n };
    const { tiles, scale } = packTiles(source, { tileGroup: tuning.tileGroup, dtype });
    const bound = {
      weight: scratch.vectors(tiles, tuning),
      scale: scale ? scratch.upload(scale) : scratch.poisoned(4),
      bias: bias ? scratch.upload(padRows(biasValues, { width: nOut, map: n })) : scratch.poisoned(4),
    };
    const reference = weightStorage(dtype).stored(source);
    return await Promise.all(item.rowCounts.map(async (nRows) => {
      // A kernel for many rows computes whole groups of them: the surplus is poison in and out.
      const allRows = Math.ceil(nRows / form.rows) * form.rows;
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
      const y = scratch.vectors(place(residual ? old : []), { texels: yTexels });
      const group = linear.bind({ ...bound, x: scratch.vectors(xPadded, tuning), y });
      runBatch(gpu, batchOf([{ sequence: 0, first: 0, count: nRows, outputs: 0 }]), (recorder) => {
        recorder.dispatch(kernel, [group], ...linearGrid(form, { n4, nRows }));
      });
      const expected = linearCpu(x, {
        weight: reference,
        nIn,
        nOut,
        gelu,
        ...(bias && { bias: biasValues }),
        ...(residual && { residual: old }),
      });
      const wanted = place(expected);
      return compare(await download(gpu, y, wanted.length), wanted, {
        what: `${nRows} rows of ${nIn} to ${nOut}`,
        tolerance: TOLERANCE_PER_TERM * (nIn + 2) * Math.max(1, biasScale),
        width: yStride4 * 4,
      });
    }));
  });
}
