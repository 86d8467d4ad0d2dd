/**
 * Checks the kernels that choose the next token, `argmax.wgsl` and `sample.wgsl`, against their references.
 *
 * @module
 */
import { argmaxCpu } from "../../wgsl/ops/argmax/reference.ts";
import { sampleCpu } from "../../wgsl/ops/sample/reference.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { readBuffer } from "../gpu/readback.ts";
import { batchOf, type Span } from "../model/batch.ts";
import { FILES } from "../model/files.ts";
import type { Tuning } from "../model/tuning.ts";
import { GREEDY, packSampling, type Sampling } from "../model/sampling.ts";
import type { Comparison } from "./comparison.ts";
import { BUFFERS, compile, layoutsOf, runBatch, withScratch } from "./scratch.ts";
import { normalArray } from "./values.ts";

/** What tokens are before a kernel runs. */
export const POISON = 0xdeadbeef;

/**
 * Nats by which scores, and share by which top-p, may differ from the reference: f32 has 6e-8 of each score,
 * which is below 2 ** 7 where it matters, and rounding masses down loses at most 50257 * 2 ** -30 = 5e-5.
 */
export const CHOICE_TOLERANCE = 1e-4;

/** Logits, and how to choose from them. */
export interface ChoiceCase {
  /** [nOutputs] of [nVocab], or one for all outputs. */
  readonly logits: readonly Float32Array[];
  /** The rows whose next tokens are chosen. */
  readonly spans: readonly Span[];
  /** [nSequences] */
  readonly sampling: readonly Sampling[];
  readonly nCtx: number;
  /** Lanes of a workgroup: 64, unless told otherwise. */
  readonly lanes?: number;
  /** Bits that a scan of the sampler settles. Default: 11. */
  readonly sampleBits?: number;
}

/**
 * Runs a kernel over poisoned tokens and returns them: [nSequences, nCtx].
 *
 * @throws {KvbenchError} If it does not compile or the device fails.
 */
export async function choose(gpu: Gpu, name: "sample" | "argmax", item: ChoiceCase): Promise<Uint32Array[]> {
  const { logits, spans, sampling, nCtx, lanes = 64, sampleBits = 11 } = item;
  const [{ length: nVocab }] = logits as [Float32Array];
  const batch = batchOf(spans);
  const stride = nVocab + 3;
  const rows = new Float32Array(logits.length * stride).fill(1e30);
  logits.forEach((row, i) => rows.set(row, i * stride));
  const layouts = layoutsOf(gpu, BUFFERS);
  const kernel = await compile(gpu, {
    files: [FILES[name]],
    groups: [layouts[name]],
    overrides: {
      N_VOCAB: nVocab,
      LOGITS_STRIDE: logits.length === 1 ? 0 : stride,
      N_CTX: nCtx,
      LANES: lanes,
      ...(name === "sample" && { BIN_BITS: sampleBits }),
    },
  });
  return await withScratch(gpu, async (scratch) => {
    const buffers = {
      logits: scratch.upload(rows),
      tokens: scratch.upload(new Uint32Array(sampling.length * nCtx).fill(POISON)),
      sampling: scratch.upload(new Uint8Array(packSampling(sampling))),
    };
    runBatch(gpu, batch, (recorder) => {
      const group = name === "sample" ? layouts.sample.bind(buffers) : layouts.argmax.bind(buffers);
      recorder.dispatch(kernel, [group], batch.nOutputs);
    });
    const bytes = sampling.length * nCtx * 4;
    const tokens = new Uint32Array(await readBuffer(gpu, buffers.tokens.buffer, 0, bytes));
    return sampling.map((_, s) => tokens.subarray(s * nCtx, (s + 1) * nCtx));
  });
}

/** Logits that are hard on thresholds, by what is hard about them. */
export function awkwardLogits(nVocab: number): Record<string, Float32Array> {
  const peaked = normalArray(nVocab, { mean: -90, deviation: 2 });
  peaked[nVocab >> 1] = -40;
  return {
    "as GPT-2's": normalArray(nVocab, { mean: -60, deviation: 3 }),
    "around 0": normalArray(nVocab, { deviation: 2 }),
    "ties": normalArray(nVocab, { deviation: 1.5 }).map((x) => Math.round(x) || 0),
    "peaked": peaked,
    "nearly flat": normalArray(nVocab, { mean: 5, deviation: 1e-3 }),
    "flat": new Float32Array(nVocab).fill(-1.5),
  };
}

/** Bits of what is no finite float32, by its name. */
const NOT_FINITE_BITS = {
  "infinity": 0x7f800000,
  "-infinity": 0xff800000,
  "NaN": 0x7fc00000,
  "-NaN": 0xffc00000,
  "a signalling NaN": 0x7f800001,
};

/** Logits of which one, the first, the last or one between, is not finite, by what it is. */
export function brokenLogits(nVocab: number): Record<string, Float32Array> {
  const logits = normalArray(nVocab, { mean: -60, deviation: 3 });
  return Object.fromEntries(
    Object.entries(NOT_FINITE_BITS).map(([name, bits], i) => {
      const broken = logits.slice();
      new Uint32Array(broken.buffer)[[nVocab >> 1, 0, nVocab - 1][i % 3]!] = bits;
      return [`with ${name}`, broken];
    }),
  );
}

/** Logits of which one is as large as float32 has them, and one as small: both are finite. */
export function extremeLogits(nVocab: number): Record<string, Float32Array> {
  const logits = normalArray(nVocab, { mean: -60, deviation: 3 });
  new Uint32Array(logits.buffer).set([0x7f7fffff, 0xff7fffff], nVocab >> 1);
  return { "of the largest magnitudes": logits };
}

/** Those of {@linkcode awkwardLogits} that are tried: the reference sorts them. */
const KINDS = ["as GPT-2's", "ties", "flat"];

/** Greedy, and drawn in several ways. */
const SAMPLINGS: readonly Omit<Sampling, "seed">[] = [
  GREEDY,
  { temperature: 1, topK: 0, topP: 1 },
  { temperature: 0.7, topK: 50, topP: 0.95 },
  { temperature: 1.5, topK: 2, topP: 0.5 },
];

/**
 * Chooses from awkward logits and counts the choices that the reference does not allow.
 *
 * @throws {KvbenchError} If the kernel does not compile or the device fails.
 */
export async function checkChoice(
  gpu: Gpu,
  name: "sample" | "argmax",
  { nVocab, lanes, sampleBits }: Pick<Tuning, "sampleBits"> & {
    readonly nVocab: number;
    readonly lanes: number;
  },
): Promise<Comparison> {
  const kinds = [
    ...Object.entries(awkwardLogits(nVocab)).filter(([kind]) => KINDS.includes(kind)),
    ...Object.entries({ ...brokenLogits(nVocab), ...extremeLogits(nVocab) }),
  ];
  const ways = name === "argmax" ? [GREEDY] : SAMPLINGS;
  const cases = kinds.flatMap(([kind, logits]) => ways.map((way) => ({ kind, logits, way })));
  const sampling = cases.map(({ way }, seed) => ({ ...way, seed }));
  const spans = cases.map((_, s) => ({ sequence: s, first: s % 11, count: 1, outputs: 1 }));
  const tokens = await choose(gpu, name, {
    logits: cases.map(({ logits }) => logits),
    spans,
    sampling,
    nCtx: 12,
    lanes,
    sampleBits,
  });
  let wrong = 0, at = "every choice is right";
  cases.forEach(({ kind, logits }, s) => {
    const position = spans[s]!.first;
    const chosen = tokens[s]![position + 1]!;
    const wanted = name === "argmax"
      ? [argmaxCpu(logits)]
      : sampleCpu(logits, sampling[s]!, { position, tolerance: CHOICE_TOLERANCE });
    const written = tokens[s]!.filter((id) => id !== POISON).length;
    if (wanted.includes(chosen) && written === 1) return;
    if (wrong++ === 0) at = `logits ${kind}, ${JSON.stringify(sampling[s])}: ${chosen}, wanted ${wanted}`;
  });
  return { what: `${cases.length} choices among ${nVocab} tokens`, largestError: wrong, tolerance: 0, at };
}
