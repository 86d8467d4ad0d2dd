/**
 * `kvbench load URL`: sends requests to a server of OpenAI's completions API and measures how it answers.
 *
 * @module
 */
import { Command } from "./commander.ts";
import { KvbenchError, UsageError } from "../errors.ts";
import { LoadClient, type ModelCard } from "../measure/load/client.ts";
import type { LoadPlan } from "../measure/load/plan.ts";
import { loadResult } from "../measure/load/result.ts";
import { runLoad } from "../measure/load/run.ts";
import { FITTED_CONTEXT } from "../measure/serving/lengths.ts";
import { loadTable } from "../report/load_table.ts";
import { MOST_TEMPERATURE } from "../model/sampling.ts";
import { addApiKeyOptions, apiKeyOf, type ApiKeyOptions } from "./api_key.ts";
import { withoutSecrets } from "./crash_report.ts";
import { watchInterrupts } from "./interrupt.ts";
import { addJsonOption, checkJson, giveResult, type JsonOptions } from "./json_output.ts";
import { progressBar } from "./progress.ts";
import { lengthSource } from "./serving_options.ts";
import { decimal, MOST_SECONDS, MOST_TOKENS, positive, share, wholeNumber } from "./values.ts";

interface Options extends ApiKeyOptions, JsonOptions {
  readonly model?: string;
  readonly numPrompts: number;
  readonly rate?: number;
  readonly maxConcurrency?: number;
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly spread: number;
  readonly lengths?: string;
  readonly prefixTokens: number;
  readonly context?: number;
  readonly vocabSize: number;
  readonly temperature: number;
  readonly ignoreEos: boolean;
  readonly ttftLimit?: number;
  readonly tpotLimit?: number;
  readonly e2eLimit?: number;
  readonly seed: number;
  readonly timeout: number;
}

/** Declares the subcommand. */
export function loadCommand(): Command {
  const command = new Command("load")
    .description("Send many requests to a server of OpenAI's completions API and measure its answers")
    .argument("<url>", "the server, such as http://127.0.0.1:8000")
    .option("--model <name>", "what to ask for (default: the first that the server has)")
    .option("--num-prompts <n>", "requests", wholeNumber(1, 1_000_000), 100)
    .option("--rate <n>", "requests per second, as a Poisson process (default: all at once)", positive(1e6))
    .option(
      "--max-concurrency <n>",
      "requests under way at most (default: no limit)",
      wholeNumber(1, 1_000_000),
    )
    .option("--prompt-tokens <n>", "tokens of a prompt", wholeNumber(1, MOST_TOKENS), 64)
    .option("--new-tokens <n>", "tokens of an answer", wholeNumber(1, MOST_TOKENS), 64)
    .option("--spread <share>", "how far both may be from that, evenly, such as 50%", share(0, 1), 0)
    .option("--lengths <source>", "in place of these: sharegpt, alpaca, or a CSV file of lengths")
    .option(
      "--prefix-tokens <n>",
      "tokens at the beginning that all prompts share",
      wholeNumber(0, MOST_TOKENS),
      0,
    )
    .option(
      "--context <n>",
      "longest sequence, in tokens (default: what the server says)",
      wholeNumber(2, MOST_TOKENS),
    )
    .option("--vocab-size <n>", "token ids of prompts are below this", wholeNumber(1, 2 ** 32), 50257)
    .option("--temperature <t>", "0 takes the likeliest token", decimal(0, MOST_TEMPERATURE), 0)
    .option("--no-ignore-eos", "let answers end where the model ends them, for servers without ignore_eos")
    .option("--ttft-limit <ms>", "for goodput", positive(1000 * MOST_SECONDS))
    .option("--tpot-limit <ms>", "for goodput", positive(1000 * MOST_SECONDS))
    .option("--e2e-limit <ms>", "for goodput", positive(1000 * MOST_SECONDS))
    .option("--seed <n>", "of lengths, arrivals and prompts", wholeNumber(0, 2 ** 31 - 1), 0)
    .option("--timeout <seconds>", "for each request", positive(MOST_SECONDS), 300);
  return addJsonOption(addApiKeyOptions(command, "sent as bearer token")).action(run);
}

async function run(url: string, options: Options): Promise<void> {
  const { timeout } = options;
  await checkJson(options);
  const apiKey = await apiKeyOf(options);
  const client = new LoadClient({ url, apiKey, timeoutMs: 1000 * timeout });
  const models = await client.models();
  const model = options.model === undefined ? models[0]! : models.find(({ id }) => id === options.model);
  if (model === undefined) {
    const names = models.map(({ id }) => id).join(", ");
    throw new KvbenchError(`${url} has no model "${options.model}": it has ${names}`);
  }
  const plan = await planOf(options, model);
  const created = new Date().toISOString();
  const bar = progressBar();
  using interrupts = watchInterrupts();
  bar.start("Load", plan.nRequests, "requests");
  const outcome = await runLoad(client, model.id, plan, {
    signal: interrupts.signal,
    onProgress: (nOver) => bar.update(nOver),
  }).finally(() => bar.stop());
  const result = loadResult(plan, outcome, {
    created,
    command: withoutSecrets(Deno.args),
    server: { url, model: model.id },
    interrupted: interrupts.signal.aborted,
  });
  if (result.finished === 0 && !result.interrupted) {
    throw new KvbenchError(`No request was answered: ${result.failures[0]!.reason}`);
  }
  await giveResult(result, loadTable, options);
  Deno.exitCode = interrupts.exitCode;
}

async function planOf(options: Options, { maxTokens }: ModelCard): Promise<LoadPlan> {
  const { promptTokens, newTokens, spread, lengths, prefixTokens } = options;
  const nCtx = options.context ?? maxTokens ?? FITTED_CONTEXT;
  if (prefixTokens > nCtx - 2) {
    throw new UsageError(
      `A shared beginning of ${prefixTokens} tokens leaves no room in a context of ${nCtx} tokens`,
    );
  }
  if (lengths === undefined && prefixTokens + promptTokens + newTokens > nCtx) {
    throw new UsageError(
      `${prefixTokens + promptTokens} prompt tokens and ${newTokens} new tokens make ` +
        `${prefixTokens + promptTokens + newTokens}: the model's context is ${nCtx} tokens`,
    );
  }
  return {
    nRequests: options.numPrompts,
    ratePerSecond: options.rate,
    maxConcurrency: options.maxConcurrency,
    lengths: lengths === undefined
      ? { uniform: { promptTokens, newTokens, spread } }
      : await lengthSource({ lengths }),
    prefixTokens,
    nCtx,
    vocabSize: options.vocabSize,
    seed: options.seed,
    temperature: options.temperature,
    ignoreEos: options.ignoreEos,
    limits: { ttftMs: options.ttftLimit, tpotMs: options.tpotLimit, e2eMs: options.e2eLimit },
  };
}
