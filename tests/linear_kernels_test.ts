/**
 * The linear kernels against their reference: awkward shapes, every combination of bias, GELU and residual,
 * and writing into columns of a wider result, as shards of the head do.
 */
import { runTrial } from "../src/check/run_trial.ts";
import { PRESETS } from "../src/checkpoint/config.ts";
import type { Dtype } from "../src/formats/registry.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import {
  BROADCAST_TUNING,
  HARDWARE_TUNING,
  SOFTWARE_TUNING,
  SUBGROUP_TUNING,
  type Tuning,
} from "../src/model/tuning.ts";
import {
  type LinearCase,
  type LinearKernel,
  linearKernelsOf,
  linearTrials,
} from "../wgsl/ops/linear/trials.ts";
import { assertRight, deviceRuns, gpuTest } from "./gpu_support.ts";

type Shape = readonly [nIn: number, nOut: number];

/**
 * Awkward shapes and every combination of bias, GELU and residual, each shape with one: an epilogue sees single outputs,
 * and nothing of the sums behind them.
 */
const PRODUCTS = ([[20, 84], [4, 20], [20, 4], [20, 509], [18, 54], [772, 18], [80, 769], [768, 80]] as const)
  .map(
    ([nIn, nOut], bits) => ({
      nIn,
      nOut,
      bias: (bits & 1) > 0,
      gelu: (bits & 2) > 0,
      residual: (bits & 4) > 0,
    }),
  );
/** That of which a vector is half full on each side, and one that sums over many inputs. */
const FEW_SHAPES: readonly Shape[] = [[18, 54], [772, 18]];
/** Narrower types; those whose scales are of parts of a sum on long sums too. */
const NARROW: readonly (readonly [Dtype, readonly Shape[]])[] = [
  ["int8", FEW_SHAPES],
  ["int4", [[772, 18], [18, 54]]],
  ["f16", [[20, 509]]],
];
/** Every layout with buffers and with textures, and the tuning that differs from another in its inputs alone. */
const TUNINGS = [
  ...[SOFTWARE_TUNING, HARDWARE_TUNING, SUBGROUP_TUNING].flatMap((tuning) =>
    [true, false].map((texels) => ({ ...tuning, texels }))
  ),
  BROADCAST_TUNING,
];
/** Which kernels there are: one for few, one for many outputs of one row, one for many rows, in every tuning, each once. */
const KERNELS = kernelsOf("f32");
/** The type of weights whose products round their inputs, in kernels of its own. */
const ROUNDED = "w8a8";

function kernelsOf(dtype: Dtype): LinearKernel[] {
  return TUNINGS.flatMap((tuning) => linearKernelsOf(tuning, dtype)).filter(({ form, tuning }) =>
    (tuning.subgroups || tuning.broadcastRows) === (form.subgroups ?? false)
  );
}

async function check(gpu: Gpu, item: Omit<LinearCase, "config">): Promise<void> {
  const trials = linearTrials({ ...item, config: PRESETS.gpt2 }, [1, 2, 7, 8, 9, 17, 65]);
  assertRight(...await Promise.all(trials.map((trial) => runTrial(gpu, trial))));
}

/** Whether a tuning keeps its inputs where adapters of its kind are given them: the other place has less to prove. */
const isOwn = ({ name, texels }: Tuning) => texels === (name === SOFTWARE_TUNING.name);

for (const kernel of KERNELS) {
  const ignored = !await deviceRuns(kernel.tuning);
  const some = <T>(all: readonly T[]) => isOwn(kernel.tuning) ? all : all.slice(0, 1);
  const test = (title: string, body: (gpu: Gpu) => Promise<void>) => gpuTest(title, body, { ignored });
  const broadcast = kernel.tuning.broadcastRows ? " by broadcast" : "";
  const title = `${kernel.form.files.at(-1)!.name} with the ${kernel.tuning.name} tuning${broadcast} in ${
    kernel.tuning.texels ? "textures" : "buffers"
  }`;
  test(`${title} equals the reference at awkward shapes, with bias, GELU and residual`, async (gpu) => {
    for (const product of PRODUCTS) await check(gpu, { ...kernel, ...product });
  });
  test(`${title} writes what another product reads`, async (gpu) => {
    for (const [nIn, nOut] of some(FEW_SHAPES)) {
      await check(gpu, { ...kernel, nIn, nOut, bias: true, gelu: true, chained: true });
    }
  });
  if (kernel.form.fuses) {
    test(`${title} makes the layer norm before it`, async (gpu) => {
      for (const [nIn, nOut] of FEW_SHAPES) {
        const item = { ...kernel, nIn, nOut, bias: true, chained: true, normed: true };
        const trials = linearTrials({ ...item, config: PRESETS.gpt2 }, [1, 2, 7]);
        assertRight(...await Promise.all(trials.map((trial) => runTrial(gpu, trial))));
      }
    });
  }
  test(`${title} reads weights in narrower types`, async (gpu) => {
    for (const [dtype, shapes] of NARROW) {
      for (const [nIn, nOut] of some(shapes)) await check(gpu, { ...kernel, nIn, nOut, dtype, bias: true });
    }
  });
  test(`${title} fills its own columns of a wider result`, async (gpu) => {
    for (const yOffset4 of some([5, 12])) {
      await check(gpu, { ...kernel, nIn: 18, nOut: 61, yStride4: 28, yOffset4 });
    }
  });
  test(`${title} keeps GELU finite far from zero`, async (gpu) => {
    for (const biasScale of [30, 1e4]) { // the kernel of one of the products above, with other numbers
      await check(gpu, { ...kernel, nIn: 20, nOut: 509, bias: true, gelu: true, biasScale });
    }
  });
}

for (const kernel of kernelsOf(ROUNDED)) {
  const { form, tuning } = kernel, dtype = ROUNDED;
  const title = `${form.files.at(-1)!.name} with the ${tuning.name} tuning${
    tuning.broadcastRows ? " by broadcast" : ""
  } in ${tuning.texels ? "textures" : "buffers"} rounds its inputs as the reference does`;
  gpuTest(title, async (gpu) => {
    const products = isOwn(tuning) ? PRODUCTS.slice(1) : PRODUCTS.slice(3, 6);
    for (const product of products) await check(gpu, { ...kernel, ...product, dtype });
    if (!form.fuses || tuning.normedRows === 0) return;
    for (const [nIn, nOut] of FEW_SHAPES) {
      const item = { ...kernel, nIn, nOut, dtype, bias: true, chained: true, normed: true };
      const trials = linearTrials({ ...item, config: PRESETS.gpt2 }, [1, 2, 7]);
      assertRight(...await Promise.all(trials.map((trial) => runTrial(gpu, trial))));
    }
  }, { ignored: !await deviceRuns(tuning) });
}

// A workgroup of the usual size has as many of a CPU's small subgroups as output tiles, so that none takes two.
gpuTest("A subgroup takes two output tiles at once, and the last one alone", async (gpu) => {
  for (const kSplit of [2, 4]) {
    const [kernel] = linearKernelsOf({ ...SUBGROUP_TUNING, kSplit });
    for (const [nIn, nOut, normed] of [[20, 16, false], [80, 28, true], [768, 20, false]] as const) {
      const item = { ...kernel!, nIn, nOut, dtype: "int8", bias: true, chained: normed, normed } as const;
      const trials = linearTrials({ ...item, config: PRESETS.gpt2 }, [1, 2]);
      assertRight(...await Promise.all(trials.map((trial) => runTrial(gpu, trial))));
    }
  }
}, { ignored: !await deviceRuns(SUBGROUP_TUNING) });
