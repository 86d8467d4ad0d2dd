/**
 * Compiles hardware's kernels on the adapter at hand, whose driver or a layer in front of it writes their SPIR-V to a
 * folder, and says on stdout which file is which kernel's: a line of JSON each. A process of its own, since drivers read
 * their variables once.
 */
import { PRESETS } from "../../src/checkpoint/config.ts";
import { KV_DTYPES, WEIGHT_DTYPES } from "../../src/formats/registry.ts";
import { createKernel } from "../../src/gpu/kernel.ts";
import { openGpu } from "../../src/host/gpu.ts";
import { dimsOf } from "../../src/model/dims.ts";
import { type KernelContext, type KernelPlan, Layouts } from "../../src/model/plan.ts";
import { HARDWARE_TUNING, SUBGROUP_TUNING } from "../../src/model/tuning.ts";
import { combinePlan } from "../../wgsl/ops/attention/plans.ts";
import { EMBEDDING } from "../../wgsl/ops/embedding/operator.ts";
import { joiningName, kvKernels, stepKernels } from "./statics.ts";

/** A kernel whose SPIR-V was written. */
export interface DumpedKernel {
  /** Its work. */
  readonly name: string;
  /** The step that it is for. */
  readonly step: string;
  /** Storage type of weights, or of K and V. */
  readonly dtype: string;
  /** Its file of WGSL. */
  readonly kernel: string;
  /** The file. */
  readonly spirv: string;
}

/** Kernels of products that differ from another type's. */
const TYPED = new Set(["qkv", "proj", joiningName("proj"), "fc", "out", "head"]);

/** The file that names a kernel, among those that it is joined of. */
const NAMING =
  /^(linear_row|argmax_|attention_(decode|prefill|combine)|sample|kv_write|layer_norm|embedding)/;

/** Compiles a kernel alone, and finds the file that is new. */
async function dump(
  folder: string,
  device: GPUDevice,
  plan: KernelPlan,
  about: Omit<DumpedKernel, "spirv" | "kernel">,
): Promise<void> {
  const files = () => [...Deno.readDirSync(folder)].map(({ name }) => name);
  const before = new Set(files());
  const { name } = await createKernel(device, plan.spec);
  const [spirv, ...others] = files().filter((file) => !before.has(file));
  if (spirv === undefined) return; // equal to one that was compiled before, or nobody writes files
  if (others.length > 0) throw new Error(`${name} left ${others.length + 1} modules: expected one`);
  const kernel = plan.spec.files.map((file) => file.name).find((file) => NAMING.test(file)) ?? name;
  console.log(JSON.stringify({ ...about, kernel, spirv } satisfies DumpedKernel));
}

if (import.meta.main) {
  const folder = Deno.args[0]!, gpu = await openGpu();
  const adapter = (await navigator.gpu.requestAdapter())!;
  // Granted where the adapter does not list it.
  const { maxStorageBuffersPerShaderStage } = adapter.limits;
  const subgroups = await adapter.requestDevice({
    requiredFeatures: ["subgroups" as GPUFeatureName],
    requiredLimits: { maxStorageBuffersPerShaderStage },
  }).catch(() => undefined);
  const context = (
    tuning: typeof HARDWARE_TUNING,
    device: GPUDevice,
    weightsDtype: string,
  ): KernelContext => ({
    ...{ device, layouts: new Layouts(device, tuning), config: PRESETS.gpt2, tuning, weightsDtype },
  });
  for (const dtype of WEIGHT_DTYPES) {
    const own = context(HARDWARE_TUNING, gpu.device, dtype);
    for (const { name, step, plan } of stepKernels(own)) {
      if (dtype === "f32" || TYPED.has(name)) await dump(folder, gpu.device, plan, { name, step, dtype });
    }
    const { e4, v4 } = dimsOf(own.config);
    const [embedding] = EMBEDDING.plans(own, { k4: e4, n4: v4, firstN4: 0 });
    await dump(folder, gpu.device, embedding!, { name: "embedding", step: "decode", dtype });
    if (!subgroups) continue;
    for (const { name, step, plan } of stepKernels(context(SUBGROUP_TUNING, subgroups, dtype))) {
      if (!plan.spec.subgroups) continue;
      await dump(folder, subgroups, plan, { name: `${name} by subgroups`, step, dtype });
    }
  }
  const attention = context(HARDWARE_TUNING, gpu.device, "f32");
  await dump(folder, gpu.device, combinePlan(attention), {
    name: "attention combine",
    step: "decode",
    dtype: "f32",
  });
  for (const dtype of KV_DTYPES) {
    for (const { name, step, plan } of kvKernels(attention, dtype)) {
      await dump(folder, gpu.device, plan, { name, step, dtype });
    }
  }
  gpu.dispose();
}
