/**
 * Bodies of completions, right, wrong and absurd: what is taken, and that everything else gets an answer.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { NUMBERS } from "../../tests/fixtures/numbers.ts";
import { ApiError } from "./api_error.ts";
import {
  type CompletionBody,
  completionJob,
  parseCompletionBody,
  type ServedModel,
} from "./completion_job.ts";
import { runs } from "../../tests/fuzz.ts";

const MODEL: ServedModel = {
  name: "m",
  config: { nCtx: 40, vocabSize: 131, eosTokenId: 0 },
  tokenizer: NUMBERS,
};

function jobOf(body: object) {
  return completionJob(parseCompletionBody({ model: "m", ...body }), MODEL);
}

Deno.test("completionJob() fills in what the API says is meant where nothing is said", () => {
  const { samplings: [sampling], ...job } = jobOf({});
  assert.deepEqual(job, {
    prompts: [[0]],
    maxTokens: 16,
    stops: [],
    topLogprobs: undefined,
    echo: false,
    eos: 0,
  });
  assert.deepEqual({ ...sampling, seed: 0 }, { temperature: 1, topK: 0, topP: 1, seed: 0 });
  const nothings = {
    prompt: null,
    max_tokens: null,
    stop: null,
    n: null,
    logprobs: null,
    suffix: null,
    logit_bias: {},
  };
  assert.equal(jobOf(nothings).maxTokens, 16);
});

Deno.test("completionJob() counts seeds up, beyond 2^32 and from below 0 too", () => {
  for (
    const [seed, expected] of [[5, [5, 6, 7]], [-1, [4294967295, 0, 1]], [2 ** 40 + 3, [3, 4, 5]]] as const
  ) {
    assert.deepEqual(jobOf({ seed, n: 3 }).samplings.map(({ seed }) => seed), expected);
  }
  const { samplings } = jobOf({ n: 2 });
  assert.notEqual(samplings[0]!.seed, samplings[1]!.seed);
});

Deno.test("completionJob() takes what vLLM's load generator sends", () => {
  const body = {
    prompt: " 1 2",
    repetition_penalty: 1.0,
    top_k: -1,
    best_of: 1,
    ignore_eos: true,
    logprobs: null,
  };
  const { prompts, eos, samplings } = jobOf(body);
  assert.deepEqual([prompts, eos, samplings[0]!.topK], [[[1, 2]], undefined, 0]);
});

/** Values that are right for some field, wrong for others, or for all. */
const value = fc.oneof(
  fc.constantFrom<unknown>(null, true, "", " 1", " 130 7", "x", {}, [], [1], [[1], [2]], [" 1", " 2"], [[]], [
    1.5,
  ]),
  fc.integer({ min: -2, max: 45 }),
  fc.double(),
  fc.jsonValue(),
);
const FIELDS = [
  "model",
  "prompt",
  "max_tokens",
  "temperature",
  "top_p",
  "top_k",
  "n",
  "stream",
  "stream_options",
  "logprobs",
  "echo",
  "stop",
  "seed",
  "ignore_eos",
  "user",
  "best_of",
  "suffix",
  "logit_bias",
  "presence_penalty",
] as const satisfies readonly (keyof CompletionBody)[];

Deno.test("Whatever a body holds, it is a job that fits the model, or refused with a reason", () => {
  let nTaken = 0;
  const fields = fc.dictionary(fc.oneof(...FIELDS.map(fc.constant), fc.string()), value, { maxKeys: 4 });
  const bodies = fc.oneof(
    { weight: 9, arbitrary: fields.map((each) => ({ model: "m", ...each })) },
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(bodies, (body) => {
      try {
        const { prompts, maxTokens, samplings } = completionJob(parseCompletionBody(body), MODEL);
        nTaken++;
        assert.ok(maxTokens >= 1 && samplings.length >= 1);
        for (const ids of prompts) {
          assert.ok(ids.length >= 1 && ids.length + maxTokens <= 40);
          assert.ok(ids.every((id) => Number.isInteger(id) && id >= 0 && id < 131));
        }
        for (const { temperature, topK, topP, seed } of samplings) {
          assert.ok(temperature >= 0 && temperature <= 2 && topK >= 0 && topP > 0 && topP <= 1);
          assert.ok(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32);
        }
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        assert.ok([400, 404].includes(error.status) && error.message.length > 0);
      }
    }),
    { seed: 8, numRuns: runs(5000) },
  );
  assert.ok(nTaken > 300, String(nTaken));
});
