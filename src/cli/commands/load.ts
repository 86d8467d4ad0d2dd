/**
 * `kvbench load URL`: sends requests to a server of OpenAI's completions API and measures how it answers.
 */
import { MOST_TEMPERATURE } from "../../model/sampling.ts";
import { decimal, MOST_SECONDS, MOST_TOKENS, positive, share, wholeNumber } from "../options/values.ts";
import { Command } from "../options/commander.ts";
import { KvbenchError, UsageError } from "../../base/errors.ts";
import { checkContext } from "../../checkpoint/config.ts";
import { LoadClient, type ModelCard } from "../../load/client.ts";
import type { LoadPlan } from "../../load/plan.ts";
import { loadResult } from "../../load/load_result.ts";
import { runLoad } from "../../load/run.ts";
import { FITTED_CONTEXT } from "../../simulate/lengths.ts";
import { loadTable } from "../../report/load_table.ts";
import { addApiKeyOptions, apiKeyOf, type ApiKeyOptions } from "../options/api_key.ts";
import { withoutSecrets } from "../session/crash_report.ts";
import { describeHelp } from "../options/help.ts";
import { watchInterrupts } from "../terminal/interrupt.ts";
import { addJsonOption, checkJson, giveResult, type JsonOptions } from "../options/json_output.ts";
import { withProgress } from "../terminal/progress.ts";
import {
  GOODPUT_LIMITS,
  goodputLimit,
  LENGTHS,
  lengthSource,
  PREFIX_TOKENS,
  RATE,
  WORKLOAD_SEED,
} from "../options/serving_options.ts";
import { addOptions, inGroup, optionList, type Values } from "../options/option_spec.ts";

const LOAD_OPTIONS = optionList(
  { flags: "--model <name>", help: "Model to ask for", group: "Model", defaultText: "the server's first" },
  {
    flags: "--num-prompts <n>",
    help: "Number of requests",
    group: "Workload",
    parse: wholeNumber(1, 1_000_000),
    default: 100,
  },
  RATE,
  ...inGroup(
    "Workload",
    {
      flags: "--max-concurrency <n>",
      help: "Most requests under way at once",
      parse: wholeNumber(1, 1_000_000),
      defaultText: "no limit",
    },
    {
      flags: "--prompt-tokens <n>",
      help: "Tokens of a prompt",
      parse: wholeNumber(1, MOST_TOKENS),
      default: 64,
    },
    {
      flags: "--new-tokens <n>",
      help: "Tokens of an answer",
      parse: wholeNumber(1, MOST_TOKENS),
      default: 64,
    },
    {
      flags: "--spread <share>",
      help: "Uniform spread of both lengths around these, such as 50%",
      parse: share(0, 1),
      default: 0,
    },
  ),
  { ...LENGTHS, defaultText: "--prompt-tokens and --new-tokens" },
  PREFIX_TOKENS,
  ...inGroup(
    "Model",
    {
      flags: "--context <n>",
      help: "Longest sequence in tokens",
      parse: wholeNumber(2, MOST_TOKENS),
      defaultText: "what the server says",
    },
    {
      flags: "--vocab-size <n>",
      help: "Token ids of prompts are below this",
      parse: wholeNumber(1, 2 ** 32),
      default: 50257,
    },
  ),
  ...inGroup(
    "Sampling",
    {
      flags: "--temperature <t>",
      help: "Divisor of logits; 0 takes the likeliest token",
      parse: decimal(0, MOST_TEMPERATURE),
      default: 0,
    },
    {
      flags: "--no-ignore-eos",
      help: "Let answers end at the end-of-text token, for servers without ignore_eos",
    },
  ),
  ...GOODPUT_LIMITS,
  goodputLimit("e2e"),
  WORKLOAD_SEED,
  {
    flags: "--timeout <seconds>",
    help: "Time-out of each request",
    group: "Server",
    parse: positive(MOST_SECONDS),
    default: 300,
  },
);

type Options = ApiKeyOptions & JsonOptions & Values<typeof LOAD_OPTIONS>;

export function loadCommand(): Command {
  const command = addOptions(new Command("load"), ...LOAD_OPTIONS);
  addJsonOption(addApiKeyOptions(command, "API key, sent as bearer token", "Server"));
  return describeHelp(command, {
    everyday:
      "model num-prompts rate max-concurrency prompt-tokens new-tokens lengths seed api-key-file json",
    examples: [
      ["Send 100 requests at once to kvbench serve", "load http://127.0.0.1:8000"],
      [
        "Send 4 requests a second with the lengths of ShareGPT",
        "load http://127.0.0.1:8000 --rate 4 --lengths sharegpt",
      ],
    ],
  })
    .summary("Send requests to a server and measure its answers")
    .description("Send many requests to a server of OpenAI's completions API and measure its answers.")
    .argument("<url>", "Server, such as http://127.0.0.1:8000")
    .action(run);
}

async function run(url: string, options: Options): Promise<void> {
  await checkJson(options);
  const apiKey = await apiKeyOf(options);
  const client = new LoadClient({ url, apiKey, timeoutMs: 1000 * options.timeout });
  const models = await client.models();
  const model = options.model === undefined ? models[0]! : models.find(({ id }) => id === options.model);
  if (model === undefined) {
    const names = models.map(({ id }) => id).join(", ");
    throw new KvbenchError(`${url} has no model "${options.model}": it has ${names}`);
  }
  const plan = await loadPlanOf(options, model);
  const created = new Date().toISOString();
  using interrupts = watchInterrupts();
  const outcome = await withProgress((bar) => {
    bar.start("Sending requests", plan.nRequests, "requests");
    const onProgress = (nOver: number) => bar.update(nOver);
    return runLoad(client, model.id, plan, { signal: interrupts.signal, onProgress });
  });
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

async function loadPlanOf(options: Options, { maxTokens }: ModelCard): Promise<LoadPlan> {
  const { promptTokens, newTokens, spread, lengths, prefixTokens } = options;
  const nCtx = options.context ?? maxTokens ?? FITTED_CONTEXT;
  if (prefixTokens > nCtx - 2) {
    throw new UsageError(
      `A shared beginning of ${prefixTokens} tokens leaves no room in a context of ${nCtx} tokens`,
    );
  }
  if (lengths === undefined) checkContext(prefixTokens + promptTokens, newTokens, nCtx);
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
