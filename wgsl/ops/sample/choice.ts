/** The common part of the operators that choose the next token: their plans, and their trials. */
import type { Gpt2Config } from "../../../src/checkpoint/config.ts";
import { PRESETS } from "../../../src/checkpoint/config.ts";
import type { WgslFile } from "../../../src/gpu/wgsl.ts";
import type { Span } from "../../../src/model/batch.ts";
import { dimsOf } from "../../../src/model/dims.ts";
import type { Cost, CostModel, OperatorCheck } from "../../../src/model/operator.ts";
import type { KernelContext, KernelPlan, Uses } from "../../../src/model/plan.ts";
import { GREEDY, packSampling, type Sampling } from "../../../src/model/sampling.ts";
import type { CheckedModel, Trial } from "../../../src/model/trial.ts";
import type { Tuning } from "../../../src/model/tuning.ts";
import type { Walk } from "../../../src/gpu/walk.ts";
import { awkwardLogits, brokenLogits, extremeLogits } from "./logits.ts";

/** A kernel that chooses, or one of several that do. */
export interface ChoiceStage {
  /** Its label. */
  readonly name: string;
  /** Its files; the first one names it. */
  readonly files: readonly [WgslFile, ...WgslFile[]];
  /** Uses of its bindings. */
  readonly uses: Uses;
  /** Overrides, given those that all may declare. */
  overrides(
    tuning: Tuning,
    common: Readonly<Record<CommonOverride, number>>,
  ): Readonly<Record<string, number>>;
  /** Workgroups of an output. Default: one. */
  workgroups?(tuning: Tuning): number;
  /** The way of its lanes through the logits. Default: it reads none. */
  walk?(tuning: Tuning, vocabSize: number): Walk;
}

type CommonOverride = "N_VOCAB" | "LOGITS_STRIDE" | "N_CTX";

/** A way to choose. */
export interface Choice {
  /** Lists its kernels, in their order. */
  stages(tuning: Tuning): readonly [ChoiceStage, ...ChoiceStage[]];
  /** The ways of choosing that are tried. */
  readonly ways: readonly Omit<Sampling, "seed">[];
  /** Lists the ids that are right. */
  right(logits: Float32Array, sampling: Sampling, position: number): readonly number[];
}

/** Plans a kernel that chooses each output's next token; `logitsStride` of 0 repeats one output's logits. */
export function choicePlan(
  { layouts, config, tuning: asked, device: { limits } }: KernelContext,
  { name, files, uses, overrides, workgroups, walk }: ChoiceStage,
  logitsStride: number = dimsOf(config).v4 * 4,
): KernelPlan {
  const most = Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX);
  const tuning = { ...asked, sampleLanes: Math.min(asked.sampleLanes, powerOfTwo(most)) };
  const common = { N_VOCAB: config.vocabSize, LOGITS_STRIDE: logitsStride, N_CTX: config.nCtx };
  return {
    spec: {
      label: name,
      files,
      groups: [layouts.step, layouts.of(uses)],
      overrides: overrides(tuning, common),
    },
    grid: ({ nOutputs }) => workgroups ? [workgroups(tuning), nOutputs] : [nOutputs],
    ...walk && { walk: walk(tuning, config.vocabSize) },
  };
}

/** The largest power of two up to `most`. */
function powerOfTwo(most: number): number {
  return 2 ** Math.floor(Math.log2(most));
}

/** The way of lanes through the logits in a scan by `parts` workgroups. */
export function scanWalk(lanes: number, vocabSize: number, parts: number): Walk {
  return { lanes, trips: Math.ceil(vocabSize / parts / lanes), bytes: 4, at: (lane) => 4 * lane };
}

/** Computes what choosing by one scan costs. */
export function choiceCost({ nOutputs }: { readonly nOutputs: number }, { config }: CostModel): Cost {
  return { bytes: nOutputs * (4 * config.vocabSize + 4), macs: 0 };
}

/** The value of tokens before a kernel runs. */
export const POISON = 0xdeadbeef;
/** Poison behind the logits: larger than all of them. */
const BEHIND = 1e30;

/** Logits, and how to choose from them. */
export interface ChoiceCase {
  /** [nOutputs] of [nVocab], or one for all outputs. */
  readonly logits: readonly Float32Array[];
  /** The rows whose next tokens are chosen. */
  readonly spans: readonly Span[];
  /** [nSequences] */
  readonly sampling: readonly Sampling[];
  readonly nCtx: number;
  readonly tuning: Tuning;
}

/** Makes a trial over poisoned tokens, which hands them on: [nSequences, nCtx]. */
export function choiceTrial(
  choice: Choice,
  { logits, spans, sampling, nCtx, tuning }: ChoiceCase,
  judge: (tokens: Uint32Array[]) => Awaited<ReturnType<Trial["judge"]>>,
): Trial {
  const [{ length: vocabSize }] = logits as [Float32Array];
  const config: Gpt2Config = { ...PRESETS.gpt2, vocabSize, nCtx }, stride = dimsOf(config).v4 * 4;
  const rows = new Float32Array(logits.length * stride).fill(BEHIND);
  logits.forEach((row, i) => rows.set(row, i * stride));
  return {
    config,
    tuning,
    spans,
    buffers: {
      logits: rows,
      tokens: new Uint32Array(sampling.length * nCtx).fill(POISON),
      sampling: new Uint8Array(packSampling(sampling)),
      partial: new Uint32Array(2 * spans.length * tuning.argmaxParts).fill(POISON),
    },
    dispatches: choice.stages(tuning).map((stage) => ({
      uses: stage.uses,
      plan: (context) => choicePlan(context, stage, logits.length > 1 ? stride : 0),
    })),
    judge: async (outcome) => {
      const tokens = await outcome.words("tokens");
      return judge(sampling.map((_, s) => tokens.subarray(s * nCtx, (s + 1) * nCtx)));
    },
  };
}

/** Those of {@linkcode awkwardLogits} that are tried: the reference sorts them. */
const KINDS = ["as GPT-2's", "ties", "flat"];

/** Lists the trial that chooses from awkward logits and counts the choices that the reference does not allow. */
export function choiceChecks(
  choice: Choice,
  { config: { vocabSize } }: CheckedModel,
  tunings: readonly Tuning[],
): OperatorCheck[] {
  const trial = (tuning: Tuning) => {
    const kinds = [
      ...Object.entries(awkwardLogits(vocabSize)).filter(([kind]) => KINDS.includes(kind)),
      ...Object.entries({ ...brokenLogits(vocabSize), ...extremeLogits(vocabSize) }),
    ];
    const cases = kinds.flatMap(([kind, logits]) => choice.ways.map((way) => ({ kind, logits, way })));
    const sampling = cases.map(({ way }, seed) => ({ ...way, seed }));
    const spans = cases.map((_, s) => ({ sequence: s, first: s % 11, count: 1, outputs: 1 }));
    const logits = cases.map(({ logits }) => logits);
    return choiceTrial(choice, { logits, spans, sampling, nCtx: 12, tuning }, (tokens) => {
      let wrong = 0, at = "every choice is right";
      cases.forEach(({ kind, logits }, s) => {
        const position = spans[s]!.first;
        const chosen = tokens[s]![position + 1]!;
        const right = choice.right(logits, sampling[s]!, position);
        const written = tokens[s]!.filter((id) => id !== POISON).length;
        if (right.includes(chosen) && written === 1) return;
        if (wrong++ === 0) {
          at = `logits ${kind}, ${JSON.stringify(sampling[s])}: ${chosen}, expected ${right}`;
        }
      });
      const what = `${cases.length} choices among ${vocabSize} tokens`;
      return { what, largestError: wrong, tolerance: 0, at };
    });
  };
  return tunings.map((tuning) => ({
    file: choice.stages(tuning)[0].files[0],
    variant: tunings.length > 1 ? `${tuning.name} tuning` : "",
    trials: () => [trial(tuning)],
  }));
}

/** Greedy, and drawn in several ways. */
export const SAMPLINGS: readonly Omit<Sampling, "seed">[] = [
  GREEDY,
  { temperature: 1, topK: 0, topP: 1 },
  { temperature: 0.7, topK: 50, topP: 0.95 },
  { temperature: 1.5, topK: 2, topP: 0.5 },
];
