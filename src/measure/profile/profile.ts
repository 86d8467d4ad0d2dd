/**
 * Profiling: one prefill and some decode steps in which every dispatch is timed on the GPU, with the bytes and the
 * operations of each kernel and the adapter's roof. Timing a dispatch costs more than the dispatch, so steps that are
 * not profiled alternate with those that are, and say what a step takes without it. Owns no format and prints nothing.
 *
 * @module
 */
import type { Decoder } from "../../engine/decoder.ts";
import { withDecoder } from "../../engine/with_decoder.ts";
import {
  decodingNeed,
  inTurn,
  type NeedContext,
  NOTHING,
  withOther,
  type WorkNeed,
} from "../../engine/work_need.ts";
import { KvbenchError } from "../../base/errors.ts";
import { type DispatchTime, DispatchTimer } from "../../gpu/dispatch_timer.ts";
import type { Dtype } from "../../formats/registry.ts";
import { measureRoof, type Roof, roofBytes } from "../../gpu/roof.ts";
import { ROW_BYTES } from "../../gpu/texels.ts";
import { MAX_PASSES, Timestamps } from "../../gpu/timestamps.ts";
import type { KvStrategy, StrategyName } from "../../kv/strategy.ts";
import { batchOf } from "../../model/batch.ts";
import { stepCosts } from "../../model/costs.ts";
import type { Cost } from "../../model/operator.ts";
import { dimsOf } from "../../model/dims.ts";
import type { Gpt2 } from "../../model/gpt2.ts";
import { isProduct, type Product } from "../../../wgsl/ops/linear/forms.ts";
import type { ProductTrials } from "../../model/product_trials.ts";
import { mean, median } from "../statistics/statistics.ts";

/** What to profile. */
export interface ProfileOptions {
  /** Where K and V are kept. */
  readonly strategy: StrategyName;
  /** How K and V are stored. */
  readonly kvDtype: Dtype;
  /** Tokens per KV block of `paged`. */
  readonly blockSize: number;
  /** The prompt. */
  readonly promptIds: readonly number[];
  /** Decode steps to profile; as many are taken without. */
  readonly steps: number;
  /** Called with the rounds done so far, of one more than there are steps. */
  readonly onProgress?: (rounds: number) => void;
}

/** What one kernel does in one step: of times the median over steps, of the rest the mean. */
export interface KernelProfile {
  /** Its label and its last file. */
  readonly kernel: string;
  /** Dispatches. */
  readonly dispatches: number;
  /** GPU time of them together. */
  readonly ms: number;
  /** Bytes that they must read and write together. */
  readonly bytes: number;
  /** Multiply-adds that they do together. */
  readonly operations: number;
  /** GPU time of a matrix product by the variant that did it fastest in this run, median over as many rounds. */
  readonly best_ms?: number;
}

/**
 * Where the time of a decode step goes, in ms: medians. The parts can be more than the whole, since the GPU may begin
 * before a submission returns.
 */
export interface StepAccount {
  /** From the first call to the end of the fence, of a step that is not profiled. */
  readonly wallMs: number;
  /** Recording that step. */
  readonly encodeMs: number;
  /** Handing it to the GPU. */
  readonly submitMs: number;
  /** The GPU's work on that step, as one pass. */
  readonly passMs: number;
  /** All kernels of a profiled step together: more than the pass by what timing each of them costs. */
  readonly kernelsMs: number;
}

/** What {@link profile} measures. */
export interface Profile {
  /** What the adapter does at best. */
  readonly roof: Roof;
  /** The dispatches of the prefill. */
  readonly prefill: readonly DispatchTime[];
  /** The dispatches of each profiled decode step. */
  readonly steps: readonly (readonly DispatchTime[])[];
  /** The kernels of the prefill. */
  readonly prefillKernels: readonly KernelProfile[];
  /** The kernels of a decode step. */
  readonly kernels: readonly KernelProfile[];
  /** Where a decode step's time goes. */
  readonly account: StepAccount;
}

/** Tokens of the sequence at the end: the prompt, the prefill's token, and those of both kinds of step. */
export function profiledTokens({ promptIds, steps }: Pick<ProfileOptions, "promptIds" | "steps">): number {
  return promptIds.length + 1 + 2 * steps;
}

/**
 * Profiles.
 *
 * @throws {UsageError} If the tokens don't fit the model's context.
 * @throws {KvbenchError} If the device has no timestamps or fails, or profiling changes the tokens.
 */
export async function profile(model: Gpt2, options: ProfileOptions): Promise<Profile> {
  const { gpu } = model;
  const trials = await model.productTrials();
  const timer = new DispatchTimer(gpu); // what the trials need is what it needs
  const passes = Timestamps.create(gpu, 1)!; // which is there
  try {
    // The machine may be slower at times: the roof is the best of what was seen before and after.
    const before = await measureRoof(gpu);
    const steps = await withDecoder(
      model,
      decodingOf(options),
      (decoder, strategy) => profileSteps(model, { decoder, strategy, timer, passes, trials }, options),
    );
    const after = await measureRoof(gpu);
    return {
      roof: {
        bytesPerSecond: Math.max(before.bytesPerSecond, after.bytesPerSecond),
        macsPerSecond: Math.max(before.macsPerSecond, after.macsPerSecond),
      },
      ...steps,
    };
  } finally {
    trials.dispose();
    timer.dispose();
    passes.dispose();
  }
}

function decodingOf(options: ProfileOptions) {
  const maxTokens = profiledTokens(options);
  return {
    ...options,
    growth: "static",
    nSequences: 1,
    maxPromptTokens: options.promptIds.length,
    maxTokens,
    capacityTokens: maxTokens,
  } as const;
}

/**
 * What {@linkcode profile} needs beside the weights: the roof is measured while no decoder is there.
 *
 * @internal Only the memory check of the command line needs it.
 */
export function profileNeed(context: NeedContext, options: ProfileOptions): WorkNeed {
  const roof = withOther(NOTHING, { gpu: roofBytes(context.limits) });
  const { a4, i4, e4 } = dimsOf(context.config);
  // Timestamps and what reads them back, and inputs and outputs of the timed products in whole rows of texels.
  const small = 4 * 16 * MAX_PASSES + 8 * ROW_BYTES + 16 * 4 * (a4 + i4 + e4);
  return withOther(inTurn(roof, decodingNeed(context, decodingOf(options))), { gpu: small });
}

/** Times of one step, and what its kernels had to do. */
interface ProfiledStep {
  readonly times: readonly DispatchTime[];
  readonly costs: Readonly<Record<string, Cost>>;
}

/** What steps are taken and timed with. */
interface Tools {
  readonly decoder: Decoder;
  readonly strategy: KvStrategy;
  readonly timer: DispatchTimer;
  readonly passes: Timestamps;
  readonly trials: ProductTrials;
}

async function profileSteps(
  model: Gpt2,
  { decoder, strategy, timer, passes, trials }: Tools,
  options: ProfileOptions,
): Promise<Omit<Profile, "roof">> {
  const { config, weightsDtype, tuning, gpu: { fence } } = model;
  const { promptIds, kvDtype, steps } = options;
  const profiled = async (): Promise<ProfiledStep> => {
    const first = strategy.cached(0);
    const batch = batchOf([{ sequence: 0, first, count: decoder.lengths[0]! - first, outputs: 1 }]);
    decoder.timeDispatches(timer);
    decoder.advance(1);
    decoder.timeDispatches(undefined);
    return { times: await timer.read(), costs: stepCosts(batch, { config, weightsDtype, kvDtype, tuning }) };
  };
  const unprofiled = async () => {
    const { encodeMs, submitMs } = decoder;
    decoder.timePasses(passes);
    await fence.wait();
    const start = performance.now();
    decoder.advance(1);
    await fence.wait();
    const wallMs = performance.now() - start;
    decoder.timePasses(undefined);
    const [passMs] = await passes.readMs();
    return {
      wallMs,
      passMs: passMs!,
      encodeMs: decoder.encodeMs - encodeMs,
      submitMs: decoder.submitMs - submitMs,
    };
  };

  // The same request without a profile: the tokens to expect, and the warm-up.
  decoder.begin([promptIds]);
  decoder.advance(profiledTokens(options) - promptIds.length);
  const expected = await decoder.ids(0);

  await trials.round();
  options.onProgress?.(1);

  decoder.begin([promptIds]);
  const prefill = await profiled();
  const walls: Awaited<ReturnType<typeof unprofiled>>[] = [];
  const decodes: ProfiledStep[] = [];
  for (let step = 0; step < steps; step++) {
    walls.push(await unprofiled());
    decodes.push(await profiled());
    await trials.round();
    options.onProgress?.(step + 2);
  }
  if (String(await decoder.ids(0)) !== String(expected)) {
    throw new KvbenchError("Profiling changed the tokens, so no time is reported");
  }
  const medianOf = (key: keyof typeof walls[number]) => median(walls.map((wall) => wall[key]));
  return {
    prefill: prefill.times,
    steps: decodes.map(({ times }) => times),
    prefillKernels: kernelsOf([prefill]),
    kernels: kernelsOf(decodes, (product) => Math.min(...trials.times(product).map(median))),
    account: {
      wallMs: medianOf("wallMs"),
      encodeMs: medianOf("encodeMs"),
      submitMs: medianOf("submitMs"),
      passMs: medianOf("passMs"),
      // Not the sum of the kernels' medians: what disturbs one kernel in one step and another in the next counts.
      kernelsMs: median(decodes.map(({ times }) => total(times))),
    },
  };
}

function total(times: readonly DispatchTime[]): number {
  return times.reduce((sum, { ms }) => sum + ms, 0);
}

/**
 * The kernels of like steps, in the order in which they are first dispatched.
 *
 * @param best What a matrix product takes at best, in ms, where that was measured.
 */
function kernelsOf(steps: readonly ProfiledStep[], best?: (product: Product) => number): KernelProfile[] {
  const [{ times: some }] = steps as [ProfiledStep];
  return [...new Set(some.map(({ label }) => label))].map((label) => {
    const dispatches = some.filter((time) => time.label === label);
    const file = dispatches[0]!.kernel.split(" + ").at(-1)!.replace(/\.wgsl$/, "");
    const costs = steps.map(({ costs }) => {
      const cost = costs[label];
      if (!cost) throw new Error(`The costs of ${label} are not known`);
      return cost;
    });
    const ms = steps.map(({ times }) => total(times.filter((time) => time.label === label)));
    return {
      kernel: label.replaceAll(" ", "_") === file ? label : `${label} (${file})`,
      dispatches: dispatches.length,
      ms: median(ms),
      bytes: Math.round(mean(costs.map(({ bytes }) => bytes))),
      operations: Math.round(mean(costs.map(({ macs }) => macs))),
      ...(best && isProduct(label) && { best_ms: best(label) }),
    };
  });
}
