/**
 * The linear kernels against their reference: awkward shapes, every combination of bias, GELU and residual,
 * and writing into columns of a wider result, as shards of the head do.
 *
 * @module
 */
import { runTrial } from "../src/check/run_trial.ts";
import { PRESETS } from "../src/checkpoint/config.ts";
import type { Dtype } from "../src/formats/registry.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { BROADCAST_TUNING, HARDWARE_TUNING, SOFTWARE_TUNING, SUBGROUP_TUNING } from "../src/model/tuning.ts";
import {
  type LinearCase,
  type LinearKernel,
  linearKernelsOf,
  linearTrials,
} from "../wgsl/ops/linear/trials.ts";
import { assertRight, deviceRuns, gpuTest } from "./gpu_support.ts";

const SHAPES = [[4, 20], [20, 4], [18, 54], [20, 509], [80, 769], [772, 18], [768, 80]] as const;
/** Those of which a vector is half full on each side, that have many outputs, and that sum over many inputs. */
const FEW_SHAPES = [[18, 54], [20, 509], [772, 18]] as const;
const EPILOGUES = Array.from({ length: 8 }, (_, bits) => ({
  bias: (bits & 1) > 0,
  gelu: (bits & 2) > 0,
  residual: (bits & 4) > 0,
}));
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

for (const kernel of KERNELS) {
  const ignored = !await deviceRuns(kernel.tuning);
  const test = (title: string, body: (gpu: Gpu) => Promise<void>) => gpuTest(title, body, { ignored });
  const broadcast = kernel.tuning.broadcastRows ? " by broadcast" : "";
  const title = `${kernel.form.files.at(-1)!.name} with the ${kernel.tuning.name} tuning${broadcast} in ${
    kernel.tuning.texels ? "textures" : "buffers"
  }`;
  test(`${title} equals the reference at awkward shapes`, async (gpu) => {
    for (const [nIn, nOut] of SHAPES) await check(gpu, { ...kernel, nIn, nOut, bias: nOut % 2 === 0 });
  });
  test(`${title} applies every combination of bias, GELU and residual`, async (gpu) => {
    for (const epilogue of EPILOGUES) await check(gpu, { ...kernel, nIn: 20, nOut: 84, ...epilogue });
  });
  test(`${title} writes what another product reads`, async (gpu) => {
    for (const [nIn, nOut] of FEW_SHAPES) {
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
    for (const dtype of ["f16", "int8", "int4"] as const) {
      for (const [nIn, nOut] of FEW_SHAPES) await check(gpu, { ...kernel, nIn, nOut, dtype, bias: true });
    }
  });
  test(`${title} fills its own columns of a wider result`, async (gpu) => {
    for (const yOffset4 of [0, 5, 12]) {
      await check(gpu, { ...kernel, nIn: 18, nOut: 61, yStride4: 28, yOffset4 });
    }
  });
  test(`${title} keeps GELU finite far from zero`, async (gpu) => {
    for (const biasScale of [30, 1e4]) {
      await check(gpu, { ...kernel, nIn: 4, nOut: 509, bias: true, gelu: true, biasScale });
    }
  });
}

for (const kernel of kernelsOf(ROUNDED)) {
  const { form, tuning } = kernel, dtype = ROUNDED;
  const title = `${form.files.at(-1)!.name} with the ${tuning.name} tuning${
    tuning.broadcastRows ? " by broadcast" : ""
  } in ${tuning.texels ? "textures" : "buffers"} rounds its inputs as the reference does`;
  gpuTest(title, async (gpu) => {
    for (const [nIn, nOut] of FEW_SHAPES) {
      await check(gpu, { ...kernel, nIn, nOut, dtype, bias: true, gelu: nOut % 2 === 0 });
      if (!form.fuses || tuning.normedRows === 0) continue;
      const item = { ...kernel, nIn, nOut, dtype, bias: true, chained: true, normed: true };
      const trials = linearTrials({ ...item, config: PRESETS.gpt2 }, [1, 2, 7]);
      assertRight(...await Promise.all(trials.map((trial) => runTrial(gpu, trial))));
    }
  }, { ignored: !await deviceRuns(tuning) });
}
