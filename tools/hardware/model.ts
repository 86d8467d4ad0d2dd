/**
 * An estimate of a decode step's time on GPUs that are not at hand. It is no measurement: a kernel takes a dispatch, and
 * then as long as its bytes or as its waits for memory, whichever is more.
 */
import { stepCosts } from "../../src/model/costs.ts";
import { DEFAULT_DTYPE, type Dtype } from "../../src/formats/registry.ts";
import { waitsOf } from "../../src/gpu/walk.ts";
import { GPU_KINDS, WAIT_SECONDS } from "../../src/measure/profile/starving.ts";
import type { Tuning } from "../../src/model/tuning.ts";
import { joiningName, kvKernels, planningContext, stepKernels, STEPS } from "./statics.ts";

/** Bytes per second of the memory of GPUs. */
export const GPUS: Readonly<Record<string, number>> = Object.fromEntries(
  GPU_KINDS.map(({ kind, example, bytesPerSecond }) => [`${example} (${kind})`, bytesPerSecond]),
);

/** Seconds that a dispatch takes, and a wait for memory: the least and the most that are assumed. */
const ASSUMED = [2e-6, 5e-6].map((dispatch, i) => ({ dispatch, wait: WAIT_SECONDS[i]! })) as [
  Assumed,
  Assumed,
];
/** Assumed times of a GPU, in seconds. */
interface Assumed {
  readonly dispatch: number;
  readonly wait: number;
}
/** Waits of kernels that do not tell their way: of what is joined split by split, where what is copied has one. */
const OTHER_WAITS: Readonly<Record<string, number>> = { "attention combine": 9 };
/** Storage type of K and V in the modelled step. */
const KV_DTYPE = DEFAULT_DTYPE;
/** Waits of a layer norm: for the row, then once more for it, which is in a cache, gamma and beta. */
const NORM_WAITS = 2;

/** Kernels of a step: how often they are dispatched, the bytes of all of them, and the waits of each. */
interface ModelledKernel {
  readonly count: number;
  readonly bytes: number;
  readonly waits: number;
}

/** Lists the kernels of a decode step of GPT-2 124M. */
export function modelledStep(tuning: Tuning, dtype: Dtype): ModelledKernel[] {
  const context = planningContext(tuning, dtype), { config } = context;
  const { storedRows, maxSingleRows: joinedRows } = tuning;
  const own = { config, weightsDtype: dtype, kvDtype: KV_DTYPE, tuning, storedRows, joinedRows };
  const costs = stepCosts(STEPS.decode, own);
  const waits = new Map(
    [...stepKernels(context), ...kvKernels(context, KV_DTYPE)].filter(({ step }) => step === "decode")
      .map(({ name, plan: { walk } }) => {
        return [name, waitsOf(walk ?? { trips: 1 })];
      }),
  );
  return Object.entries(costs).filter(([, { bytes }]) => bytes > 0).map(([role, { bytes }]) => ({
    count: role === "norm"
      ? 2 * config.nLayer
      : /^(embedding|final norm|head|argmax)/.test(role)
      ? 1
      : config.nLayer,
    bytes,
    waits: role.endsWith("norm")
      ? NORM_WAITS
      : waits.get(joiningName(role)) ?? waits.get(role) ?? OTHER_WAITS[role] ?? 1,
  }));
}

/** Estimates a step's time in ms, at best and at worst, and what its bytes alone would take. */
export function estimateMs(
  kernels: readonly ModelledKernel[],
  bytesPerSecond: number,
): { readonly range: readonly [number, number]; readonly floor: number } {
  const total = ({ dispatch, wait }: Assumed) =>
    kernels.reduce(
      (sum, { count, bytes, waits }) =>
        sum + count * (dispatch + Math.max(bytes / count / bytesPerSecond, waits * wait)),
      0,
    ) * 1000;
  const bytes = kernels.reduce((sum, kernel) => sum + kernel.bytes, 0);
  return { range: [total(ASSUMED[0]), total(ASSUMED[1])], floor: bytes / bytesPerSecond * 1000 };
}
