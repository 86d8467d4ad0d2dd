/**
 * Every kernel of a model held against its CPU reference, one after the other, in the order of a forward pass: what
 * names the kernel that an adapter gets wrong.
 *
 * @module
 */
import { DeviceLostError, KvbenchError } from "../base/errors.ts";
import type { Dtype } from "../formats/registry.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { KV_COPY } from "../kv/files.ts";
import type { Gpt2Config } from "../checkpoint/config.ts";
import { FILES } from "../model/files.ts";
import type { Tuning } from "../model/tuning.ts";
import { checkAttention, checkAttentionCombine, DECODE_SPANS, PREFILL_SPANS } from "./attention.ts";
import { checkChoice } from "./choice.ts";
import { type Comparison, describeComparison, isRight, worst } from "./comparison.ts";
import { checkEmbedding } from "./embedding.ts";
import { checkKvCopy } from "./kv_copy.ts";
import { arenaKv, contiguousKv, type MakeKv, pagedKv } from "./kv_memory.ts";
import { checkKvWrite } from "./kv_write.ts";
import { checkLayerNorm } from "./layer_norm.ts";
import { checkLinear, linearKernelsOf } from "./linear.ts";

/** What the kernels are compiled for. */
export interface CheckedModel {
  /** The model's dimensions. Where a kernel does the same many times over, it is checked on fewer. */
  readonly config: Gpt2Config;
  /** The kernel variants. */
  readonly tunings: readonly [Tuning, ...Tuning[]];
  /** How weight matrices are stored. */
  readonly weightsDtypes: readonly Dtype[];
  /** How K and V are stored. */
  readonly kvDtypes: readonly Dtype[];
}

/** A kernel in one of its variants. */
export interface KernelCheck {
  /** Its file. */
  readonly kernel: string;
  /** Which variant, such as `int8, software tuning`. */
  readonly variant: string;
  /** Runs it beside its reference. */
  run(gpu: Gpu): Promise<readonly Comparison[]>;
}

/** What a check found. */
export interface Verdict {
  /** The kernel's file, or what else was checked. */
  readonly kernel: string;
  /** Which variant of it. */
  readonly variant: string;
  /** Of the comparison that was worst; null where there was none. */
  readonly largestError: number | null;
  /** What that comparison allows. */
  readonly tolerance: number | null;
  /** `failed`: it did not compile, or the device failed. */
  readonly verdict: "right" | "wrong" | "failed";
  /** What was compared and where it differs most, or what failed. */
  readonly detail: string;
}

/** Outputs, tokens and heads that are checked at most: the reference is slow, and there are only more of the same. */
const MOST = { outputs: 512, tokens: 2048, heads: 4 };

const ROWS = [{ sequence: 2, first: 3, count: 9, outputs: 0 }, {
  sequence: 0,
  first: 0,
  count: 3,
  outputs: 0,
}];

/** The checks of all kernels that a model uses. */
export function kernelChecks(model: CheckedModel): KernelCheck[] {
  const { config, tunings, weightsDtypes, kvDtypes } = model;
  const { nEmbd, headDim, vocabSize } = config;
  const [own] = tunings;
  const nHead = Math.min(config.nHead, MOST.heads);
  const rows = [1, 9];
  return [
    ...weightsDtypes.map((dtype) =>
      checkOf(FILES.embedding, dtype, (gpu) =>
        checkEmbedding(gpu, {
          vocabSize: Math.min(vocabSize, MOST.tokens),
          nEmbd,
          nShards: 2,
          nCtx: 16,
          tuning: own,
          dtype,
          batches: [ROWS],
        }))
    ),
    ...tunings.flatMap((tuning) =>
      [false, true].map((gather) =>
        checkOf(
          FILES.layerNorm,
          `${gather ? "gathered" : "all"} rows, ${tuning.name} tuning`,
          (gpu) => checkLayerNorm(gpu, { nEmbd, gather, tuning, rowCounts: rows }),
        )
      )
    ),
    ...linearChecks(model),
    ...kvMemories(kvDtypes).map(({ kind, makeKv, dtype }) =>
      checkOf(FILES.kvWrite, `${kind}, ${dtype}`, async (gpu) => [
        await checkKvWrite(gpu, { nHead, headDim, dtype, makeKv, tuning: own }),
      ])
    ),
    ...tunings.filter(({ splitTokens }) => splitTokens > 0).map((tuning) =>
      checkOf(FILES.attentionCombine, `${tuning.name} tuning`, async (gpu) => [
        await checkAttentionCombine(gpu, { nHead, headDim, tuning }),
      ])
    ),
    ...([[FILES.attentionPrefill, PREFILL_SPANS], [FILES.attentionDecode, DECODE_SPANS]] as const).flatMap((
      [file, spans],
    ) =>
      tunings.flatMap((tuning, i) =>
        kvMemories(i === 0 ? kvDtypes : kvDtypes.slice(0, 1)).map(({ kind, makeKv, dtype }) =>
          checkOf(file, `${kind}, ${dtype}, ${tuning.name} tuning`, async (gpu) => [
            await checkAttention(gpu, { nHead, headDim, dtype, makeKv, tuning, spans }),
          ])
        )
      )
    ),
    checkOf(KV_COPY, kvDtypes.join(", "), (gpu) =>
      Promise.all(kvDtypes.map((dtype) => {
        const a4 = nHead * Math.ceil(headDim / 4);
        return checkKvCopy(gpu, { nLayer: 2, nHead, a4, dtype, nCtx: 40, nSequences: 1, texels: false });
      }))),
    ...(["argmax", "sample"] as const).map((name) =>
      checkOf(
        FILES[name],
        "",
        async (
          gpu,
        ) => [
          await checkChoice(gpu, name, {
            nVocab: vocabSize,
            lanes: own.argmaxLanes,
            sampleBits: own.sampleBits,
          }),
        ],
      )
    ),
  ];
}

/** Each linear kernel with GELU, and in every storage type with a residual, over the longest sums. */
function linearChecks({ config, tunings, weightsDtypes }: CheckedModel): KernelCheck[] {
  const most = (outputs: number) => Math.min(outputs, MOST.outputs);
  const into = { nIn: config.nEmbd, nOut: most(config.nInner), bias: true, gelu: true, chained: true };
  const back = { nIn: config.nInner, nOut: most(config.nEmbd), bias: true, residual: true };
  return tunings.flatMap((tuning) =>
    linearKernelsOf(tuning).flatMap((kernel) => {
      const rowCounts = kernel.form.rows === 1 ? [1, 2] : [kernel.form.rows + 1];
      return weightsDtypes.map((dtype) =>
        checkOf(kernel.form.files.at(-1)!, `${dtype}, ${tuning.name} tuning`, async (gpu) => [
          ...(dtype === weightsDtypes[0]
            ? await checkLinear(gpu, { ...kernel, ...into, dtype, rowCounts })
            : []),
          ...await checkLinear(gpu, { ...kernel, ...back, dtype, rowCounts }),
        ])
      );
    })
  );
}

/** The first type in every kind of memory, the others in the kind with the longest way to a slot. */
function kvMemories(kvDtypes: readonly Dtype[]): { kind: string; makeKv: MakeKv; dtype: Dtype }[] {
  const kinds: readonly [string, MakeKv][] = [["paged", pagedKv(16)], ["contiguous", contiguousKv], [
    "arena",
    arenaKv,
  ]];
  return kvDtypes.flatMap((dtype, i) =>
    kinds.slice(0, i === 0 ? undefined : 1).map(([kind, makeKv]) => ({ kind, makeKv, dtype }))
  );
}

function checkOf(
  { name }: { readonly name: string },
  variant: string,
  run: (gpu: Gpu) => Promise<readonly Comparison[]>,
): KernelCheck {
  return { kernel: name, variant, run };
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

/** What comparisons of one thing come to. */
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
 * Finds the first verdict that is not `right`, if there is one.
 *
 * @param onProgress Called with the number of checks done.
 */
export async function firstWrong(
  gpu: Gpu,
  checks: readonly KernelCheck[],
  onProgress: (done: number) => void = () => {},
): Promise<Verdict | undefined> {
  let done = 0;
  for await (const verdict of verdicts(gpu, checks)) {
    if (verdict.verdict !== "right") return verdict;
    onProgress(++done);
  }
  return undefined;
}
