/**
 * Every kernel of a model held against its CPU reference, one after the other, in the order of a forward pass: what
 * names the kernel that an adapter gets wrong.
 */
import { type Comparison, describeComparison, isRight, worst } from "../base/comparison.ts";
import { DeviceLostError, KvbenchError } from "../base/errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { KV_COPY } from "../kv/files.ts";
import { strategies } from "../kv/registry.ts";
import type { StrategyDef } from "../kv/strategy_def.ts";
import { dimsOf } from "../model/dims.ts";
import { OPERATORS } from "../model/operators.ts";
import { type CheckedModel, MOST_CHECKED } from "../model/trial.ts";
import { checkKvCopy } from "./kv_copy.ts";
import { runTrial } from "./run_trial.ts";

/** A kernel in one of its variants. */
interface KernelCheck {
  readonly kernel: string;
  /** Which variant, such as `int8, software tuning`. */
  readonly variant: string;
  /** Runs it beside its reference. */
  run(gpu: Gpu): Promise<readonly Comparison[]>;
}

/** The outcome of a check. */
export interface Verdict {
  /** The kernel's file, or what else was checked. */
  readonly kernel: string;
  /** Which variant of it. */
  readonly variant: string;
  /** Of the comparison that was worst; null where there was none. */
  readonly largestError: number | null;
  /** The tolerance of that comparison. */
  readonly tolerance: number | null;
  /** `failed`: it did not compile, or the device failed. */
  readonly verdict: "right" | "wrong" | "failed";
  /** The comparison and the place of its largest difference, or the failure. */
  readonly detail: string;
}

/**
 * Lists the checks of all kernels that a model uses: those that operators declare, and that of copies of slots.
 *
 * @param used The strategies. Exact ones share kinds of memory, which are always checked.
 */
export function kernelChecks(
  model: Omit<CheckedModel, "kvMemories">,
  used: readonly StrategyDef[] = strategies(),
): KernelCheck[] {
  const { config, kvDtypes } = model;
  // The first type in the first kind of memory of each strategy, the others in the one that shares.
  const own = strategies().filter((each) => each.traits.exact || used.includes(each)).toSorted((a, b) =>
    Number(b.traits.shares) - Number(a.traits.shares)
  );
  const kinds = own.flatMap(({ cases }) => cases.slice(0, 1).map(({ name }) => name));
  const kvMemories = kvDtypes.flatMap((dtype, i) =>
    kinds.slice(0, i === 0 ? undefined : 1).map((kind) => ({ kind, dtype }))
  );
  const nHead = Math.min(config.nHead, MOST_CHECKED.heads), a4 = nHead * dimsOf(config).headDim4;
  return [
    ...OPERATORS.flatMap(({ checks }) => checks({ ...model, kvMemories })).map((
      { file, variant, trials },
    ) => ({
      kernel: file.name,
      variant,
      run: (gpu: Gpu) => Promise.all(trials().map((trial) => runTrial(gpu, trial))),
    })),
    {
      kernel: KV_COPY.name,
      variant: kvDtypes.join(", "),
      run: (gpu) =>
        Promise.all(
          kvDtypes.map((dtype) => checkKvCopy(gpu, { nHead, a4, dtype, nSequences: 1, texels: false })),
        ),
    },
  ];
}

/**
 * Runs checks in their order. A kernel that fails is a verdict like others, and the next ones are still run.
 *
 * @throws {DeviceLostError} If there is nothing left to run them on.
 */
export async function* verdicts(gpu: Gpu, checks: readonly KernelCheck[]): AsyncGenerator<Verdict> {
  for (const { kernel, variant, run } of checks) {
    let comparisons: readonly Comparison[];
    try {
      comparisons = await run(gpu);
    } catch (error) {
      if (!(error instanceof KvbenchError) || error instanceof DeviceLostError) throw error;
      const none = { largestError: null, tolerance: null };
      yield { kernel, variant, ...none, verdict: "failed", detail: error.message };
      continue;
    }
    yield verdictOf({ kernel, variant }, comparisons);
  }
}

/** Sums up comparisons of one thing. */
export function verdictOf(
  what: Pick<Verdict, "kernel" | "variant">,
  comparisons: readonly Comparison[],
): Verdict {
  const found = worst(comparisons);
  const { largestError, tolerance } = found;
  const right = comparisons.every(isRight);
  return {
    ...what,
    largestError,
    tolerance,
    verdict: right ? "right" : "wrong",
    detail: right ? comparisons.map((each) => each.what).join("; ") : describeComparison(found),
  };
}

/**
 * Runs checks up to the first one that is not `right`.
 *
 * @param onProgress Called with the number of checks done.
 * @returns The verdicts so far; all but the last one are `right`.
 */
export async function verdictsToFirstWrong(
  gpu: Gpu,
  checks: readonly KernelCheck[],
  onProgress: (done: number) => void = () => {},
): Promise<Verdict[]> {
  const all: Verdict[] = [];
  for await (const verdict of verdicts(gpu, checks)) {
    all.push(verdict);
    if (verdict.verdict !== "right") break;
    onProgress(all.length);
  }
  return all;
}

/** Finds the first verdict that is not `right`, if there is one. */
export async function firstWrong(gpu: Gpu, checks: readonly KernelCheck[]): Promise<Verdict | undefined> {
  return (await verdictsToFirstWrong(gpu, checks)).find(({ verdict }) => verdict !== "right");
}
