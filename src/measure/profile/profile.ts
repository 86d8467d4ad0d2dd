/**
 * Profiling: one prefill and some decode steps in which every dispatch is timed on the GPU, with the bytes and the
 * operations of each kernel and the adapter's roof. Timing a dispatch costs more than the dispatch, so that unprofiled
 * steps alternate with profiled ones, and give the time of a step. Owns no format and prints nothing.
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
import { mostLines, waitsOf } from "../../gpu/walk.ts";
import type { KvOptions } from "../../kv/strategy_def.ts";
import { batchOf } from "../../model/batch.ts";
import type { Cost } from "../../model/operator.ts";
import { dimsOf } from "../../model/dims.ts";
import type { Model } from "../../model/model.ts";
import { isProduct, type Product } from "../../../wgsl/ops/linear/forms.ts";
import type { ProductTrials } from "../../model/product_trials.ts";
import { starvesFrom } from "./starving.ts";
import { mean, median } from "../statistics/statistics.ts";

interface ProfileOptions {
  readonly strategy: string;
  readonly kvOptions?: KvOptions;
  /** Storage type of K and V. */
  readonly kvDtype: Dtype;
  /** Token ids of the prompts, as many of each, which are decoded together. */
  readonly prompts: readonly (readonly number[])[];
  /** Decode steps to profile; as many unprofiled ones are taken. */
  readonly steps: number;
  /** Called with the number of rounds done, of `steps` + 1. */
  readonly onProgress?: (rounds: number) => void;
}

/** The work of one kernel in one step: times are medians over steps, the rest are means. */
interface KernelProfile {
  /** Label and last file. */
  readonly kernel: string;
  readonly dispatches: number;
  /** GPU time of all dispatches. */
  readonly ms: number;
  /** Bytes that all dispatches must read and write. */
  readonly bytes: number;
  /** Multiply-adds of all dispatches. */
  readonly operations: number;
  /** Workgroups of a dispatch. */
  readonly workgroups: number;
  /** Lanes of a workgroup, reads of a lane one after another, waits for them, and lines of a load over the least. */
  readonly way?: {
    readonly lanes: number;
    readonly trips: number;
    readonly waits: number;
    readonly lines: number;
  };
  /** The smallest kind of GPU that would starve; absent where none would. */
  readonly starves_on?: string;
  /** GPU time of a matrix product by its fastest variant in this run, median over as many rounds. */
  readonly best_ms?: number;
}

/**
 * The account of a decode step's time: medians. The parts can exceed the whole, since the GPU may begin before a
 * submission returns.
 */
interface StepAccount {
  /** Time from the first call to the end of the fence, of an unprofiled step. */
  readonly wallMs: number;
  /** Time to record that step. */
  readonly encodeMs: number;
  /** Time to submit it. */
  readonly submitMs: number;
  /** GPU time of that step, in one pass. */
  readonly passMs: number;
  /** GPU time of all kernels of a profiled step, each in a pass of its own. */
  readonly kernelsMs: number;
}

/** The result of {@linkcode profile}. */
export interface Profile {
  /** Best speeds of the adapter. */
  readonly roof: Roof;
  /** The dispatches of the prefill. */
  readonly prefill: readonly DispatchTime[];
  /** The dispatches of each profiled decode step. */
  readonly steps: readonly (readonly DispatchTime[])[];
  /** The kernels of the prefill. */
  readonly prefillKernels: readonly KernelProfile[];
  /** The kernels of a decode step. */
  readonly kernels: readonly KernelProfile[];
  /** Account of a decode step's time. */
  readonly account: StepAccount;
}

/** Returns the final length of a sequence: its prompt, the prefill's token, and those of both kinds of step. */
export function profiledTokens({ prompts, steps }: Pick<ProfileOptions, "prompts" | "steps">): number {
  return prompts[0]!.length + 1 + 2 * steps;
}

/**
 * Profiles a prefill and decode steps.
 *
 * @throws {UsageError} If the tokens do not fit the model's context.
 * @throws {KvbenchError} If the device has no timestamps or fails, or profiling changes the tokens.
 */
export async function profile(model: Model, options: ProfileOptions): Promise<Profile> {
  new DispatchTimer(model.gpu).dispose(); // fails at once where there are no timestamps
  // The machine may be slower at times: the roof is the best of what was seen before and after.
  const before = await measureRoof(model.gpu);
  const steps = await profileSteps(model, options);
  const after = await measureRoof(model.gpu);
  return {
    roof: {
      bytesPerSecond: Math.max(before.bytesPerSecond, after.bytesPerSecond),
      macsPerSecond: Math.max(before.macsPerSecond, after.macsPerSecond),
    },
    ...steps,
  };
}

function decodingOf(options: ProfileOptions) {
  return {
    ...options,
    nSequences: options.prompts.length,
    maxPromptTokens: options.prompts[0]!.length,
    maxTokens: profiledTokens(options),
  } as const;
}

/**
 * Returns the memory that {@linkcode profile} needs besides the weights; no decoder exists while the roof is measured.
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

/** Times and costs of one step's kernels. */
interface ProfiledStep {
  readonly times: readonly DispatchTime[];
  readonly costs: Readonly<Record<string, Cost>>;
}

/** The decoder of the steps, and the timers. */
interface Tools {
  readonly decoder: Decoder;
  readonly timer: DispatchTimer;
  readonly passes: Timestamps;
  /** Those of one row; absent where steps have more. */
  readonly trials: ProductTrials | undefined;
}

/**
 * Profiles as {@linkcode profile} does, without the adapter's roof.
 *
 * @throws {UsageError} If the tokens do not fit the model's context.
 * @throws {KvbenchError} If the device has no timestamps or fails, or profiling changes the tokens.
 * @internal Only tests need no roof, which takes seconds.
 */
export async function profileSteps(model: Model, options: ProfileOptions): Promise<Omit<Profile, "roof">> {
  const trials = options.prompts.length === 1 ? await model.productTrials() : undefined;
  const timer = new DispatchTimer(model.gpu);
  const passes = Timestamps.create(model.gpu, 1)!; // which is there
  try {
    return await withDecoder(
      model,
      decodingOf(options),
      (decoder) => alternate(model, { decoder, timer, passes, trials }, options),
    );
  } finally {
    trials?.dispose();
    timer.dispose();
    passes.dispose();
  }
}

/** Takes profiled and unprofiled steps in turns. */
async function alternate(
  model: Model,
  { decoder, timer, passes, trials }: Tools,
  options: ProfileOptions,
): Promise<Omit<Profile, "roof">> {
  const { gpu: { fence } } = model;
  const { prompts, kvDtype, steps } = options;
  const { runner } = decoder, { policy, recorder } = runner;
  const profiled = async (): Promise<ProfiledStep> => {
    const entries = (length: number, sequence: number) => policy.entries(length, sequence);
    const spans = decoder.lengths.map((length, sequence) => {
      const first = policy.firstToCompute(sequence);
      return { sequence, first, count: length - first, outputs: 1 };
    });
    const batch = batchOf(spans, entries);
    recorder.dispatchTimer = timer;
    await decoder.advance(1);
    recorder.dispatchTimer = undefined;
    const costs = model.costs(batch, {
      kvDtype,
      entries,
      storedRows: runner.storedRows,
      joinedRows: runner.joinedRows,
      around: runner.around,
    });
    return { times: await timer.read(), costs };
  };
  const unprofiled = async () => {
    const { encodeMs, submitMs } = runner;
    recorder.timestamps = passes;
    await fence.wait();
    const start = performance.now();
    await decoder.advance(1);
    await fence.wait();
    const wallMs = performance.now() - start;
    recorder.timestamps = undefined;
    const [passMs] = await passes.readMs();
    return {
      wallMs,
      passMs: passMs!,
      encodeMs: runner.encodeMs - encodeMs,
      submitMs: runner.submitMs - submitMs,
    };
  };

  // The same request without profiling gives the expected tokens, and warms up.
  decoder.begin(prompts);
  await decoder.advance(profiledTokens(options) - prompts[0]!.length);
  const expected = await decoder.ids(0);

  await trials?.round();
  options.onProgress?.(1);

  decoder.begin(prompts);
  const prefill = await profiled();
  const walls: Awaited<ReturnType<typeof unprofiled>>[] = [];
  const decodes: ProfiledStep[] = [];
  for (let step = 0; step < steps; step++) {
    walls.push(await unprofiled());
    decodes.push(await profiled());
    await trials?.round();
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
    kernels: kernelsOf(
      decodes,
      trials && ((product) => Math.min(...trials.times(product).map(median))),
    ),
    account: {
      wallMs: medianOf("wallMs"),
      encodeMs: medianOf("encodeMs"),
      submitMs: medianOf("submitMs"),
      passMs: medianOf("passMs"),
      // The sum of the kernels' medians would hide disturbances of one kernel in one step and another in the next.
      kernelsMs: median(decodes.map(({ times }) => total(times))),
    },
  };
}

function total(times: readonly DispatchTime[]): number {
  return times.reduce((sum, { ms }) => sum + ms, 0);
}

/**
 * Sums like steps up by kernel, in the order of first dispatch.
 *
 * @param best Returns the best time of a matrix product in ms. Default: not measured.
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
    const [{ workgroups: [x, y, z], walk }] = dispatches as [DispatchTime], workgroups = x * y * z;
    const bytes = Math.round(mean(costs.map(({ bytes }) => bytes)));
    const operations = Math.round(mean(costs.map(({ macs }) => macs)));
    const waits = walk ? waitsOf(walk) : 1; // what is copied is waited for once
    const { length } = dispatches;
    const starving = starvesFrom({ bytes: bytes / length, macs: operations / length, workgroups, waits });
    const ms = steps.map(({ times }) => total(times.filter((time) => time.label === label)));
    return {
      kernel: label.replaceAll(" ", "_") === file ? label : `${label} (${file})`,
      dispatches: length,
      ms: median(ms),
      bytes,
      operations,
      workgroups,
      ...(walk && { way: { lanes: walk.lanes, trips: walk.trips, waits, lines: mostLines(walk) } }),
      ...(starving && { starves_on: starving.kind }),
      ...(best && isProduct(label) && { best_ms: best(label) }),
    };
  });
}
