/**
 * The record that `load` writes: its format, and its making from a run. Latencies are as vLLM defines them.
 */
import { z } from "../base/zod.ts";
import { VERSION } from "../base/version.ts";
import { amount, count, positive } from "../measure/record/fields.ts";
import { headOf, headSchema, recordReader } from "../measure/record/record.ts";
import { latencyField } from "../simulate/entry.ts";
import { Samples } from "../simulate/samples.ts";
import type { LoadAnswer } from "./client.ts";
import type { LoadPlan } from "./plan.ts";
import type { LoadRun } from "./run.ts";

/** Name and version of the format. */
export const LOAD_KIND = { kind: "kvbench.load", version: 1 } as const;

const limit = (what: string) => amount(what).nullable();

const schema = z.strictObject({
  ...headSchema(LOAD_KIND),
  created: z.iso.datetime().describe("Start of the run, ISO 8601 in UTC"),
  command: z.array(z.string()).describe("Arguments of the command that made this file, keys left out"),
  kvbench: z.string().describe("Version of kvbench"),
  server: z.strictObject({
    url: z.string().describe("Address of the server"),
    model: z.string().describe("Name of the model"),
  }).describe("Server that was measured"),
  workload: z.strictObject({
    requests: positive("Requests"),
    rate_per_second: amount("Requests per second on average, null for all at once").nullable(),
    max_concurrency: positive("Most requests in flight, null for no limit").nullable(),
    lengths: z.string().describe("Source of lengths: a data set, a file, or a mean with its spread"),
    prefix_tokens: count("Tokens at the beginning that all prompts share"),
    seed: z.int().describe("Seed of lengths, arrivals and prompts"),
    temperature: amount("Sampling temperature, 0 for greedy sampling"),
    ignore_eos: z.boolean().describe("True where answers went on after an end-of-text token"),
  }).describe("Requests that were sent"),
  limits: z.strictObject({
    ttft_ms: limit("Time to first token"),
    tpot_ms: limit("Time per output token"),
    e2e_ms: limit("The whole request"),
  }).describe("Longest times of a request that counts for goodput; null for no limit"),
  interrupted: z.boolean().describe("True where the run was ended before all requests were answered"),
  seconds: amount("Time from the first request to the last token"),
  finished: count("Requests with a whole answer"),
  failures: z.array(
    z.strictObject({
      reason: z.string().describe("Cause, in one line"),
      requests: positive("Requests that failed for this reason"),
    }),
  )
    .describe("Failed requests by reason, the most frequent first"),
  prompt_tokens: count("Tokens of the prompts of finished requests"),
  output_tokens: count("Tokens of their answers"),
  requests_per_second: amount("finished / seconds"),
  output_tokens_per_second: amount("output_tokens / seconds"),
  total_tokens_per_second: amount("(prompt_tokens + output_tokens) / seconds"),
  goodput_per_second: amount("Finished requests per second that met the limits; null without limits")
    .nullable(),
  peak_concurrency: count("Most requests in flight at once"),
  ttft_ms: latencyField("Time to first token, from sending the request"),
  tpot_ms: latencyField("Time per output token, (E2E − TTFT) / (output tokens − 1)"),
  itl_ms: latencyField("Time between two chunks of an answer, over all gaps"),
  e2e_ms: latencyField("From sending the request to its last token"),
  requests: z.array(z.strictObject({
    start_ms: amount("Time at which it was sent, from the first request on"),
    prompt_tokens: count("Tokens of the prompt"),
    output_tokens: count("Tokens of the answer"),
    ttft_ms: amount("Time to first token"),
    e2e_ms: amount("Time to the last token"),
  })).describe("Finished requests, in the order of sending"),
});

/** @internal A load test's record. */
export type LoadResult = z.infer<typeof schema>;

/** Checks that a value is a load test's record. */
export const parseLoad = recordReader(schema, LOAD_KIND);

/** Makes the record of a run. */
export function loadResult(
  plan: LoadPlan,
  run: LoadRun,
  facts: Pick<LoadResult, "created" | "command" | "server" | "interrupted">,
): LoadResult {
  const answers = run.outcomes.flatMap((outcome) =>
    "answer" in outcome && outcome.answer.chunkMs.length > 0 ? [outcome.answer] : []
  );
  const firstMs = Math.min(...answers.map(({ startMs }) => startMs));
  const requests = answers.map((answer) => ({
    start_ms: answer.startMs - firstMs,
    prompt_tokens: answer.promptTokens,
    output_tokens: answer.outputTokens,
    ttft_ms: answer.chunkMs[0]! - answer.startMs,
    e2e_ms: answer.chunkMs.at(-1)! - answer.startMs,
  }));
  const tpots = requests.map(tpotOf);
  const sum = (key: "prompt_tokens" | "output_tokens") =>
    requests.reduce((total, each) => total + each[key], 0);
  const perSecond = (value: number) => run.ms === 0 ? 0 : 1000 * value / run.ms;
  const { ttftMs = null, tpotMs = null, e2eMs = null } = plan.limits;
  const limited = [ttftMs, tpotMs, e2eMs].some((each) => each !== null);
  const good = requests.filter((each, i) =>
    each.ttft_ms <= (ttftMs ?? Infinity) && (tpots[i] ?? 0) <= (tpotMs ?? Infinity) &&
    each.e2e_ms <= (e2eMs ?? Infinity)
  );
  return parseLoad({
    ...headOf(LOAD_KIND),
    kvbench: VERSION,
    ...facts,
    workload: {
      requests: plan.nRequests,
      rate_per_second: plan.ratePerSecond ?? null,
      max_concurrency: plan.maxConcurrency ?? null,
      lengths: sayLengths(plan.lengths),
      prefix_tokens: plan.prefixTokens,
      seed: plan.seed,
      temperature: plan.temperature,
      ignore_eos: plan.ignoreEos,
    },
    limits: { ttft_ms: ttftMs, tpot_ms: tpotMs, e2e_ms: e2eMs },
    seconds: run.ms / 1000,
    finished: requests.length,
    failures: failuresOf(run),
    prompt_tokens: sum("prompt_tokens"),
    output_tokens: sum("output_tokens"),
    requests_per_second: perSecond(requests.length),
    output_tokens_per_second: perSecond(sum("output_tokens")),
    total_tokens_per_second: perSecond(sum("prompt_tokens") + sum("output_tokens")),
    goodput_per_second: limited ? perSecond(good.length) : null,
    peak_concurrency: run.peakConcurrency,
    ttft_ms: summaryOf(requests.map(({ ttft_ms }) => ttft_ms)),
    tpot_ms: summaryOf(tpots.filter((tpot) => tpot !== undefined)),
    itl_ms: summaryOf(answers.flatMap(gapsOf)),
    e2e_ms: summaryOf(requests.map(({ e2e_ms }) => e2e_ms)),
    requests,
  }, "the result of this run");
}

function tpotOf({ e2e_ms, ttft_ms, output_tokens }: LoadResult["requests"][number]): number | undefined {
  return output_tokens > 1 ? (e2e_ms - ttft_ms) / (output_tokens - 1) : undefined;
}

function gapsOf({ chunkMs }: LoadAnswer): number[] {
  return chunkMs.slice(1).map((ms, i) => ms - chunkMs[i]!);
}

function summaryOf(values: readonly number[]): LoadResult["ttft_ms"] {
  const samples = new Samples();
  for (const value of values) samples.push(value);
  return samples.percentiles();
}

function failuresOf({ outcomes }: LoadRun): LoadResult["failures"] {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) {
    const reason = "failure" in outcome
      ? outcome.failure
      : outcome.answer.chunkMs.length === 0
      ? "The answer has no token"
      : undefined;
    if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([reason, requests]) => ({ reason, requests }));
}

function sayLengths(lengths: LoadPlan["lengths"]): string {
  if ("dataSet" in lengths) return lengths.dataSet;
  if ("file" in lengths) return lengths.file;
  const { promptTokens, newTokens, spread } = lengths.uniform;
  return `${promptTokens} + ${newTokens} tokens` + (spread === 0 ? "" : ` ± ${100 * spread} %`);
}
