/**
 * The least time that a WGSL program could take for a step on the adapter, among the peers as if it were one: the step's
 * bytes and multiply-adds, as operators declare them, at the rates that probes reach in the turn.
 */
import { VERSION } from "../../src/base/version.ts";
import { leastMs, makeProbes } from "../../src/gpu/roof.ts";
import { openGpu } from "../../src/host/gpu.ts";
import { sequenceCost } from "../../src/model/costs.ts";
import { tuningFor } from "../../src/model/tuning.ts";
import type { Answer, Job, Question } from "./peer.ts";
import { answerQuestions, type Desk } from "./serve.ts";

/** Time for a measurement of the rates. */
const ROOF_MS = 250;

await answerQuestions(async ({ config, storage }: Job): Promise<Desk> => {
  const gpu = await openGpu();
  const probes = await makeProbes(gpu);
  const model = { config, weightsDtype: storage, kvDtype: storage, tuning: tuningFor(gpu.facts) };
  let length = 0;
  const answer = async (question: Question): Promise<Answer> => {
    if (question.ask === "prefill") length = question.tokens;
    const rows = question.ask === "prefill" ? { first: 0, count: length } : { first: length, count: 1 };
    const roof = await probes.measure(ROOF_MS);
    const rates = { gb_per_s: roof.bytesPerSecond / 1e9, gmacs_per_s: roof.macsPerSecond / 1e9 };
    return { is: "time", ms: leastMs(sequenceCost(rows, model), roof), steps: 1, rates };
  };
  return { ready: { version: VERSION, runs_on: gpu.facts.description, kv: storage }, answer };
});
