// sample.wgsl against its CPU reference, against theory, and through the decoder.
import assert from "node:assert/strict";
import { runTrial } from "../src/check/run_trial.ts";
import { normalArray } from "../src/model/values.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { openGpu } from "../src/host/gpu.ts";
import { openEmbedded } from "../src/hub/embedded.ts";
import { openDecoder } from "../src/engine/with_decoder.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { GREEDY, type Sampling } from "../src/model/sampling.ts";
import { SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { argmaxCpu } from "../wgsl/ops/argmax/reference.ts";
import { probabilitiesCpu, sampleCpu } from "../wgsl/ops/sample/reference.ts";
import { ARGMAX_CHOICE } from "../wgsl/ops/argmax/stages.ts";
import { type ChoiceCase, choiceTrial, POISON } from "../wgsl/ops/sample/choice.ts";
import { awkwardLogits } from "../wgsl/ops/sample/logits.ts";
import { CHOICE_TOLERANCE, SAMPLE_CHOICE } from "../wgsl/ops/sample/operator.ts";
import { permitted } from "./permitted.ts";

const VOCABULARIES = [7, 65, 509, 50257];
const TEMPERATURES = [0.3, 1.5];
const TOP_PS = [0.1, 0.9, 0.999, 1];
async function withGpu(body: (gpu: Gpu) => Promise<void>): Promise<void> {
  const gpu = await openGpu();
  try {
    await body(gpu);
  } finally {
    gpu.dispose();
  }
}

/** Runs a kernel over poisoned tokens and returns them: [nSequences, nCtx]. */
async function choose(
  gpu: Gpu,
  name: "sample" | "argmax",
  { lanes = 64, sampleBits = 11, ...item }: Omit<ChoiceCase, "tuning"> & {
    readonly lanes?: number;
    readonly sampleBits?: number;
  },
): Promise<Uint32Array[]> {
  const choice = name === "sample" ? SAMPLE_CHOICE : ARGMAX_CHOICE;
  const tuning = { ...SOFTWARE_TUNING, argmaxLanes: lanes, sampleLanes: lanes, sampleBits };
  let chosen: Uint32Array[] = [];
  await runTrial(
    gpu,
    choiceTrial(choice, { ...item, tuning }, (tokens) => {
      chosen = tokens;
      return { what: name, largestError: 0, tolerance: 0, at: "" };
    }),
  );
  return chosen;
}

for (const nVocab of VOCABULARIES) {
  Deno.test(`sample.wgsl chooses as its reference does among ${nVocab} tokens`, () =>
    withGpu(async (gpu) => {
      const sampling = TEMPERATURES.flatMap((temperature) =>
        [0, 1, 2, 50, 100, nVocab + 5].flatMap((topK) => TOP_PS.map((topP) => ({ temperature, topK, topP })))
      ).map((values, s) => ({ ...values, seed: 1000003 * s }))
        .filter((_, s) => nVocab < 1000 || s % 3 === 0); // each top-k and each top-p at least
      const spans = sampling.map((_, s) => ({ sequence: s, first: s % 11, count: 1, outputs: 1 }));
      let certain = 0, all = 0;
      for (const [kind, logits] of Object.entries(awkwardLogits(nVocab))) {
        const tokens = await choose(gpu, "sample", { logits: [logits], spans, sampling, nCtx: 12 });
        tokens.forEach((row, s) => {
          const position = spans[s]!.first;
          const wanted = sampleCpu(logits, sampling[s]!, { position, tolerance: CHOICE_TOLERANCE });
          const message = `${kind}, ${JSON.stringify(sampling[s])}: got ${
            row[position + 1]
          }, wanted ${wanted}`;
          assert.ok(wanted.includes(row[position + 1]!), message);
          assert.equal(row.filter((id) => id !== POISON).length, 1, `${kind}: a token elsewhere was written`);
          all++;
          if (wanted.length === 1) certain++;
        });
      }
      assert.ok(certain >= 0.98 * all, `The reference is certain in ${certain} of ${all} cases only`);
    }));
}

Deno.test("sample.wgsl keeps the likeliest token however small top-p is", () =>
  withGpu(async (gpu) => {
    const sampling = [1e-12, 1e-38].map((topP) => ({ temperature: 1, topK: 0, topP, seed: 1 }));
    const spans = sampling.map((_, s) => ({ sequence: s, first: 0, count: 1, outputs: 1 }));
    const logits = normalArray(65, { deviation: 0.1 });
    const tokens = await choose(gpu, "sample", { logits: [logits], spans, sampling, nCtx: 2 });
    for (const row of tokens) assert.equal(row[1], argmaxCpu(logits));
  }));

Deno.test("sample.wgsl chooses the same in 64 lanes as in more, with few bins as with many, and in any batch", () =>
  withGpu(async (gpu) => {
    const sampling = TOP_PS.map((topP, seed) => ({ temperature: 1, topK: 30, topP, seed }));
    const logits = sampling.map((_, seed) => normalArray(509, { mean: -30, deviation: 2, seed }));
    const spans = sampling.map((_, s) => ({ sequence: s, first: 5 * s, count: 1, outputs: 1 }));
    const together = await choose(gpu, "sample", { logits, spans, sampling, nCtx: 32, lanes: 64 });
    for (const lanes of [256, 1024]) {
      assert.deepEqual(await choose(gpu, "sample", { logits, spans, sampling, nCtx: 32, lanes }), together);
    }
    for (const sampleBits of [8, 9]) {
      assert.deepEqual(
        await choose(gpu, "sample", { logits, spans, sampling, nCtx: 32, sampleBits }),
        together,
      );
    }
    const reversed = { logits: logits.toReversed(), spans: spans.toReversed(), sampling, nCtx: 32 };
    assert.deepEqual(await choose(gpu, "sample", reversed), together);
    for (const [s, span] of spans.entries()) {
      const alone = await choose(gpu, "sample", { logits: [logits[s]!], spans: [span], sampling, nCtx: 32 });
      assert.deepEqual(alone[s], together[s]);
    }
  }));

Deno.test("sample.wgsl at temperature 0 is argmax.wgsl, in a batch with sampled sequences", () =>
  withGpu(async (gpu) => {
    const { ties, ...others } = awkwardLogits(509);
    const zeros = Float32Array.from({ length: 509 }, (_, id) => id % 2 === 0 ? -0 : 0);
    const logits = [zeros, ties!, ...Object.values(others)];
    const hot = { temperature: 5, topK: 0, topP: 1, seed: 7 };
    const sampling = logits.flatMap(() => [hot, { ...GREEDY, topK: 3, topP: 0.5 }]);
    const rows = logits.flatMap((row) => [row, row]);
    const spans = rows.map((_, s) => ({ sequence: s, first: 0, count: 1, outputs: 1 }));
    const sampled = await choose(gpu, "sample", { logits: rows, spans, sampling, nCtx: 2 });
    const greedy = await choose(gpu, "argmax", { logits: rows, spans, sampling, nCtx: 2 });
    rows.forEach((row, s) => assert.equal(greedy[s]![1], argmaxCpu(row)));
    const ofGreedy = (_: unknown, s: number) => s % 2 === 1;
    assert.deepEqual(sampled.filter(ofGreedy), greedy.filter(ofGreedy));
    assert.notDeepEqual(sampled, greedy);
  }));

Deno.test("sample.wgsl writes nothing after the context's last position", () =>
  withGpu(async (gpu) => {
    const sampling = [{ temperature: 1, topK: 0, topP: 0.9, seed: 1 }, GREEDY];
    const spans = sampling.map((_, s) => ({ sequence: s, first: 0, count: 4, outputs: 2 }));
    const tokens = await choose(gpu, "sample", { logits: [normalArray(65, {})], spans, sampling, nCtx: 4 });
    assert.deepEqual(tokens.map((row) => [...row].map((id) => id === POISON)), [
      [true, true, true, false],
      [true, true, true, false],
    ]);
  }));

Deno.test("sample.wgsl repeats itself with one seed and not with another", () =>
  withGpu(async (gpu) => {
    const sampling = [1, 1, 2, 2 ** 32 - 1].map((seed) => ({ temperature: 1, topK: 0, topP: 1, seed }));
    const spans = sampling.map((_, s) => ({ sequence: s, first: 0, count: 64, outputs: 64 }));
    const tokens = await choose(gpu, "sample", { logits: [new Float32Array(65)], spans, sampling, nCtx: 65 });
    assert.deepEqual(tokens[0], tokens[1]);
    // Independent sequences agree in about one of 64 places on average, and in more than 8 once in a million
    // times (Poisson).
    for (const [a, b] of [[0, 2], [0, 3], [2, 3]] as const) {
      const equal = tokens[a]!.subarray(1).filter((id, i) => id === tokens[b]![i + 1]).length;
      assert.ok(
        equal <= 8,
        `Seeds ${sampling[a]!.seed} and ${sampling[b]!.seed} agree in ${equal} of 64 places`,
      );
    }
  }));

/**
 * Checks counts against probabilities by Pearson's chi-square; outcomes of fewer than 5 expected draws are
 * taken together, as is usual. The bound is the distribution's 99.9 % quantile (Wilson and Hilferty 1931): a right
 * sampler exceeds it for one seed of a thousand, and the seeds here are fixed, so that a pass stays a pass.
 */
function assertDrawnFrom(probabilities: Float64Array, draws: Uint32Array, label: string): void {
  const counts = new Float64Array(probabilities.length);
  for (const id of draws) counts[id]!++;
  const cells: [count: number, expected: number][] = [];
  let rare: [count: number, expected: number] = [0, 0];
  probabilities.forEach((probability, id) => {
    const count = counts[id]!, expected = probability * draws.length;
    if (expected === 0) assert.equal(count, 0, `${label}: token ${id} is not allowed, and was drawn`);
    else if (expected >= 5) cells.push([count, expected]);
    else rare = [rare[0] + count, rare[1] + expected];
  });
  if (rare[1] >= 5) cells.push(rare);
  assert.ok(cells.length > 2, `${label}: ${cells.length} cells tell little`);
  const statistic = cells.reduce((sum, [count, expected]) => sum + (count - expected) ** 2 / expected, 0);
  const a = 2 / (9 * (cells.length - 1));
  const bound = (cells.length - 1) * (1 - a + 3.0902 * Math.sqrt(a)) ** 3;
  assert.ok(statistic < bound, `${label}: chi-square is ${statistic}, wanted less than ${bound}`);
}

Deno.test("sample.wgsl draws tokens as often as their probabilities say, over 4096 positions", () =>
  withGpu(async (gpu) => {
    const logits = normalArray(65, { deviation: 2, seed: 3 });
    const sampling = [
      { temperature: 1, topK: 0, topP: 1, seed: 1 },
      { temperature: 0.7, topK: 10, topP: 1, seed: 2 },
      { temperature: 1.5, topK: 0, topP: 0.8, seed: 3 },
      { temperature: 2, topK: 20, topP: 0.9, seed: 4 },
    ];
    const spans = sampling.map((_, s) => ({ sequence: s, first: 0, count: 4096, outputs: 4096 }));
    const tokens = await choose(gpu, "sample", { logits: [logits], spans, sampling, nCtx: 4097 });
    sampling.forEach((values, s) =>
      assertDrawnFrom(probabilitiesCpu(logits, values), tokens[s]!.subarray(1), JSON.stringify(values))
    );
  }));

Deno.test("sample.wgsl draws from all of 50257 tokens, over 4096 seeds", () =>
  withGpu(async (gpu) => {
    // Sixteen probabilities, interleaved: a choice that prefers some lanes, ids or tails shows in their sums.
    const logits = Float32Array.from({ length: 50257 }, (_, id) => (id % 16) / 4);
    const sampling = Array.from({ length: 4096 }, (_, seed) => ({ temperature: 1, topK: 0, topP: 1, seed }));
    const spans = sampling.map((_, s) => ({ sequence: s, first: 0, count: 1, outputs: 1 }));
    const tokens = await choose(gpu, "sample", { logits: [logits], spans, sampling, nCtx: 2 });
    const draws = Uint32Array.from(tokens, (row) => row[1]!);
    const sums = (cells: number, cell: (id: number) => number) => {
      const probabilities = new Float64Array(cells);
      probabilitiesCpu(logits, sampling[0]!).forEach((p, id) => probabilities[cell(id)]! += p);
      return [probabilities, draws.map(cell)] as const;
    };
    assertDrawnFrom(...sums(16, (id) => id % 16), "by logit");
    assertDrawnFrom(...sums(64, (id) => id % 64), "by lane");
    assertDrawnFrom(...sums(50, (id) => Math.floor(id / 1006)), "by stretch of ids");
  }));

Deno.test(
  "Decoder.begin() takes a sampling per sequence",
  { ignore: !permitted("read") },
  () =>
    withGpu(async (gpu) => {
      const model = await Gpt2.load(gpu, await openEmbedded());
      const prompts = [[7454, 2402, 257, 640], [7454, 2402, 257, 640], [7454, 2402, 257, 640]];
      const size = { nSequences: 3, maxPromptTokens: 4, maxTokens: 20 };
      const decoder = await openDecoder(model, { strategy: "paged", ...size });
      try {
        const decode = async (sampling?: readonly Sampling[]) => {
          decoder.begin(prompts, sampling);
          decoder.advance(16);
          return await decoder.ids(4);
        };
        const greedy = await decode();
        const drawn = { temperature: 1, topK: 40, topP: 0.95, seed: 1 };
        const mixed = await decode([drawn, GREEDY, { ...drawn, seed: 2 }]);
        assert.deepEqual(mixed[1], greedy[1]);
        assert.notDeepEqual(mixed[0], greedy[0]);
        assert.notDeepEqual(mixed[0], mixed[2]);
        assert.deepEqual(await decode([drawn, GREEDY, { ...drawn, seed: 2 }]), mixed);
        assert.deepEqual(await decode(), greedy);
      } finally {
        decoder.dispose();
        model.dispose();
      }
    }),
);
