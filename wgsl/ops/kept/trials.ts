/** Trials of the kernels that choose which tokens stay: of prompts, and of single rows. */
import { PRESETS } from "../../../src/checkpoint/config.ts";
import { isExactKv, partsOf } from "../../../src/formats/kv_dtype.ts";
import { formatOf } from "../../../src/formats/registry.ts";
import {
  CHOICE_USES,
  choicePlan,
  type KeptContext,
  type KeptPlan,
  normsPlan,
  SCORE_USES,
  scoresPlan,
  STEP_USES,
  stepPlan,
  STORE_USES,
  storePlan,
} from "../../../src/kv/kept/plans.ts";
import type { KeptRule } from "../../../src/kv/kept/rule.ts";
import { PROMPT_CASE, PROMPT_OBSERVED, promptLengthOf } from "../../../src/kv/kept/strategy.ts";
import type { KvSource } from "../../../src/kv/source.ts";
import type { Span } from "../../../src/model/batch.ts";
import { dimsOf } from "../../../src/model/dims.ts";
import { inputFile } from "../../../src/model/io.ts";
import { paddedHeads } from "../../../src/model/pack.ts";
import type { KernelContext } from "../../../src/model/plan.ts";
import type { CheckedKv, KvOutcome, Trial, TrialDispatch } from "../../../src/model/trial.ts";
import type { Tuning } from "../../../src/model/tuning.ts";
import { padRows, randomArray } from "../../../src/model/values.ts";
import { Judge } from "./judge.ts";
import {
  type KeptToken,
  leavingCpu,
  probabilitiesCpu,
  promptChoiceCpu,
  promptScoresCpu,
} from "./reference.ts";

const N_SEQUENCES = 4, TOKENS = 70;
/** A prompt's tokens are chosen by its last 30 rows, and averages of three; rows let one of more than eleven leave. */
const PROMPT_RULE: KeptRule = { recent: 4, heavy: 9, observed: PROMPT_OBSERVED, pool: 3, everyStep: false };
const STEP_RULE: KeptRule = { recent: 3, heavy: 8, observed: Infinity, pool: 1, everyStep: true };
/** Words of a kept token. */
const WORDS = 3;

interface KeptCase extends Omit<CheckedKv, "kind"> {
  readonly nHead: number;
  readonly headDim: number;
  readonly tuning: Tuning;
}

/** Queries, keys and values of some rows, and where each is. */
function rowsOf({ nHead, headDim, tuning, dtype }: KeptCase, spans: readonly Span[]) {
  const width = nHead * headDim, config = { ...PRESETS.gpt2, nHead, headDim, nEmbd: width, nCtx: TOKENS };
  const { a4, headDim4 } = dimsOf(config), map = paddedHeads(3, nHead, headDim, headDim4);
  const nRows = spans.reduce((sum, { count }) => sum + count, 0);
  const x = padRows(randomArray(nRows * 3 * width, 1), { width: 3 * width, map });
  const row = (r: number, part: number) => x.subarray((r * 3 + part) * a4 * 4, (r * 3 + part + 1) * a4 * 4);
  const headOf = (values: Float32Array, head: number) =>
    values.subarray(head * headDim4 * 4, head * headDim4 * 4 + headDim);
  const kv = {
    ...{
      kind: PROMPT_CASE,
      dtype,
      nSequences: N_SEQUENCES,
      tokensPerSequence: TOKENS,
      nHead,
      a4,
      byte: 0xff,
    },
  };
  return { base: { config, tuning, spans }, nRows, a4, headDim4, x, row, headOf, kv };
}

function dispatch(
  uses: TrialDispatch["uses"],
  kv: "read" | "write",
  planOf: (context: KeptContext, source: KvSource) => KeptPlan,
): TrialDispatch {
  return {
    uses,
    kv,
    plan: (context: KernelContext, source) => {
      const { layouts, config: { nHead, headDim }, tuning } = context;
      const own = { layouts, nHead, headDim, lanes: tuning.decodeLanes, input: inputFile(tuning) };
      const { spec, grid } = planOf(own, source!);
      return { spec, grid: (batch) => grid(batch, { nSequences: N_SEQUENCES, longest: TOKENS }) };
    },
  };
}

/** Reads the tokens that are kept of a head. */
function keptIn(words: Uint32Array, floats: Float32Array, place: number, count: number): KeptToken[] {
  return Array.from({ length: count }, (_, entry) => ({
    position: words[(place + entry) * WORDS]!,
    score: floats[(place + entry) * WORDS + 1]!,
  }));
}

/** The largest error of a stored value of at most 1: none, 2^-11 in two bytes, a little more than half a step in fewer. */
function slackOf({ dtype }: KeptCase): (value: number, exact: number) => number {
  if (isExactKv(dtype)) return () => 0;
  return () => Math.max(...partsOf(dtype).map((part) => 2 ** -(5 * formatOf(part).bytes + 1)));
}

/** Makes a trial that scores prompts of 65, one, 30 and nine tokens, chooses, and stores what stays over them. */
export function promptTrial(item: KeptCase): Trial {
  const { nHead } = item;
  const spans = Array.from({ length: N_SEQUENCES }, (_, sequence): Span => ({
    ...{ sequence, first: 0, count: promptLengthOf(sequence), outputs: 0 },
  }));
  const { base, nRows, a4, headDim4, x, row, headOf, kv } = rowsOf(item, spans);
  const starts = spans.map((_, s) => spans.slice(0, s).reduce((sum, { count }) => sum + count, 0));
  const tokens = spans.flatMap(({ sequence, count }, s) =>
    Array.from({ length: count }, (_, position) => {
      const r = starts[s]! + position;
      return { sequence, position, values: Float32Array.of(...row(r, 1), ...row(r, 2)) };
    })
  );
  // The keys as they are stored are those that were there before anything is stored over them.
  const kept = new Float32Array(N_SEQUENCES * nHead * TOKENS * WORDS).fill(NaN);
  const work = new Float32Array(2 * nRows * nHead + 3 * N_SEQUENCES * nHead * TOKENS).fill(NaN);
  return {
    ...base,
    buffers: { x, kept, work },
    kv: { ...kv, tokens },
    dispatches: [
      dispatch(SCORE_USES, "read", normsPlan),
      dispatch(SCORE_USES, "read", scoresPlan),
      dispatch(CHOICE_USES, "read", (context, source) => choicePlan(context, source, PROMPT_RULE)),
      dispatch(STORE_USES, "write", (context, source) => storePlan(context, source, PROMPT_RULE, false)),
    ],
    judge: async (outcome) => {
      const floats = await outcome.floats("kept"), words = new Uint32Array(floats.buffer);
      const after = await outcome.kv(), judge = new Judge(`prompts of ${nHead} heads`);
      for (const { sequence, count } of spans) {
        const rows = Array.from({ length: count }, (_, i) => starts[sequence]! + i);
        for (let head = 0; head < nHead; head++) {
          const keys = rows.map((r) => headOf(row(r, 1), head));
          const scores = promptScoresCpu(
            rows.map((r) => headOf(row(r, 0), head)),
            keys,
            PROMPT_RULE.observed,
          );
          const positions = promptChoiceCpu(scores, PROMPT_RULE);
          const expected = positions.map((position) => ({ position, score: scores[position]! }));
          const at = `sequence ${sequence}, head ${head}`;
          if (isExactKv(item.dtype)) {
            judge.tokens(
              keptIn(words, floats, (sequence * nHead + head) * TOKENS, expected.length),
              expected,
              at,
            );
          }
          // Where keys were rounded, the tokens are those that the kernel has chosen.
          const own = keptIn(words, floats, (sequence * nHead + head) * TOKENS, positions.length);
          own.forEach(({ position }, entry) =>
            heads(after, after.slot(sequence, entry), head, { nHead, a4, headDim4 }).forEach((actual, part) =>
              judge.head(
                actual,
                headOf(row(starts[sequence]! + position, 1 + part), head),
                slackOf(item),
                `${at}, entry ${entry}, part ${part}`,
              )
            )
          );
        }
      }
      return judge.comparison;
    },
  };
}

/** K and V of a head, as they are stored in a slot. */
function heads(
  stored: KvOutcome,
  slot: number,
  head: number,
  { a4, headDim4 }: { readonly nHead: number; readonly a4: number; readonly headDim4: number },
): Float32Array[] {
  const all = stored.load(slot);
  return [0, 1].map((part) => {
    const at = part * a4 * 4 + head * headDim4 * 4;
    return all.subarray(at, at + headDim4 * 4);
  });
}

/** Makes a trial of single rows at positions 64, 0, 29 and 8, of which the first and third let a token leave. */
export function stepTrial(item: KeptCase): Trial {
  const { nHead } = item;
  const spans = Array.from({ length: N_SEQUENCES }, (_, sequence): Span => ({
    ...{ sequence, first: promptLengthOf(sequence) - 1, count: 1, outputs: 0 },
  }));
  const { base, x, row, headOf, kv, a4, headDim4 } = rowsOf(item, spans);
  const keysOf = ({ sequence, first }: Span) => randomArray((first + 1) * 8 * a4, 10 + sequence);
  const valuesOf = (span: Span, position: number): Float32Array =>
    position === span.first
      ? Float32Array.of(...row(span.sequence, 1), ...row(span.sequence, 2))
      : keysOf(span).subarray(position * 8 * a4, (position + 1) * 8 * a4);
  const tokens = spans.flatMap((span) =>
    Array.from({ length: span.first + 1 }, (_, position) => ({
      ...{ sequence: span.sequence, position, values: valuesOf(span, position) },
    }))
  );
  const kept = new Float32Array(N_SEQUENCES * nHead * TOKENS * WORDS).fill(NaN);
  const words = new Uint32Array(kept.buffer);
  const before = (span: Span, head: number): KeptToken[] =>
    Array.from({ length: span.first }, (_, entry) => ({
      // Entries are in no order, and some scores are equal.
      position: (entry * 11 + head) % span.first,
      score: Math.fround(0.25 * (entry % 5 === 0 ? 1 : 2 + entry % 7)),
    }));
  for (const span of spans) {
    for (let head = 0; head < nHead; head++) {
      before(span, head).forEach(({ position, score }, entry) => {
        const at = ((span.sequence * nHead + head) * TOKENS + entry) * WORDS;
        words[at] = position;
        kept[at + 1] = score;
      });
    }
  }
  return {
    ...base,
    buffers: { x, kept },
    kv: { ...kv, tokens },
    dispatches: [
      dispatch(STEP_USES, "read", (context, source) => stepPlan(context, source, STEP_RULE)),
      dispatch(STORE_USES, "write", (context, source) => storePlan(context, source, STEP_RULE, true)),
    ],
    judge: async (outcome) => {
      const floats = await outcome.floats("kept"), own = new Uint32Array(floats.buffer);
      const after = await outcome.kv(), judge = new Judge(`single rows of ${nHead} heads`);
      for (const span of spans) {
        const { sequence, first } = span;
        for (let head = 0; head < nHead; head++) {
          const at = `sequence ${sequence}, head ${head}`, place = (sequence * nHead + head) * TOKENS;
          const keys = Array.from({ length: first + 1 }, (_, entry) => headOf(valuesOf(span, entry), head));
          const added = probabilitiesCpu(headOf(row(sequence, 0), head), keys);
          const all = [...before(span, head), { position: first, score: 0 }].map((
            { position, score },
            entry,
          ) => ({
            ...{ position, score: score + added[entry]! },
          }));
          const left = leavingCpu(all, first, STEP_RULE);
          const stay = all.slice(0, left < 0 ? first + 1 : first);
          const expected = stay.map((token, entry) => entry === left ? all[first]! : token);
          judge.tokens(keptIn(own, floats, place, expected.length), expected, at);
          const moved = left < 0 ? first : left;
          heads(after, after.slot(sequence, moved), head, { nHead, a4, headDim4 }).forEach((actual, part) =>
            judge.head(actual, headOf(row(sequence, 1 + part), head), slackOf(item), `${at}, part ${part}`)
          );
        }
      }
      return judge.comparison;
    },
  };
}
