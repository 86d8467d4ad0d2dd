/**
 * `kvbench bench`: measures the strategies side by side; prints a table, writes a JSON result and a chart.
 *
 * @module
 */
import { Command, Option } from "npm:commander@15.1.0";
import { KvbenchError, UsageError } from "../errors.ts";
import { type Growth, GROWTHS, STRATEGY_NAMES, type StrategyName } from "../kv/strategy.ts";
import { describeEnvironment } from "../measure/environment.ts";
import { type BenchResult, parseResult, SCHEMA_VERSION } from "../measure/result.ts";
import { runBench } from "../measure/run.ts";
import { checkWorkload, syntheticPrompt, type Workload } from "../measure/workload.ts";
import { parameterCount } from "../model/config.ts";
import { chartPermissions, drawCharts } from "../report/chart.ts";
import { benchTable } from "../report/table.ts";
import { nextResultName, writeWhole } from "../report/write.ts";
import { addKvDtypeOption, addModelOptions, type PrecisionOptions } from "./model_options.ts";
import { progressBar } from "./progress.ts";
import { promptIds, type Session, withSession } from "./session.ts";
import { idList, nameList, wholeNumber } from "./values.ts";

/** "The attention mechanism in deep learning is", as in the notebook that this project grew from. */
const DEFAULT_PROMPT = "深度学习中的注意力机制是";
const DEFAULT_FOLDER = "kvbench-results";

interface Options extends PrecisionOptions {
  readonly prompt?: string;
  readonly promptIds?: number[];
  readonly promptTokens?: number;
  readonly newTokens: number;
  readonly strategies: StrategyName[];
  readonly runs: number;
  readonly warmup: number;
  readonly blockSize: number;
  readonly growth: Growth;
  readonly kvCapacity?: number;
  readonly seed: number;
  readonly out?: string;
  readonly json?: string;
}

/** Declares the subcommand. */
export function benchCommand(): Command {
  return addKvDtypeOption(addModelOptions(new Command("bench")))
    .description("Measure the decode strategies side by side: latency, memory, and where K/V memory goes")
    .option("--prompt <text>", `text to continue (default: "${DEFAULT_PROMPT}")`)
    .option("--prompt-ids <ids>", "token ids in place of text, such as 464,3290", idList)
    .option("--prompt-tokens <n>", "a made-up prompt of n ids, from the seed", wholeNumber(1))
    .option("--new-tokens <n>", "tokens to generate, greedily", wholeNumber(1), 50)
    .option("--strategies <names>", "which, with commas", nameList(STRATEGY_NAMES), [...STRATEGY_NAMES])
    .option("--runs <n>", "measured runs per strategy", wholeNumber(1, 1000), 5)
    .option("--warmup <n>", "runs before them", wholeNumber(0, 1000), 1)
    .option("--block-size <tokens>", "tokens per KV block of paged, 1 to 256", wholeNumber(1, 256), 16)
    .addOption(new Option("--growth <how>", "memory of kv-cache").choices(GROWTHS).default("static"))
    .option(
      "--kv-capacity <tokens>",
      "tokens that a static kv-cache reserves and the block pool holds (default: the model's context)",
      wholeNumber(1),
    )
    .option("--seed <n>", "of the order of runs and of a made-up prompt", wholeNumber(0, 2 ** 32 - 1), 0)
    .option("--out <folder>", `folder for the result and the chart (default: "${DEFAULT_FOLDER}")`)
    .option("--json <file>", "write the result there; with -, print it and nothing else")
    .action(run);
}

async function run(options: Options): Promise<void> {
  const quiet = options.json === "-";
  const folder = await outputFolder(options);
  const say = (text: string) => quiet ? undefined : console.log(text);
  const result = await withSession(options, async ({ config }, tokenizer) => {
    const { text, ids } = await workloadPrompt(options, config.vocabSize, tokenizer);
    const workload: Workload = {
      prompt: text,
      promptIds: ids,
      newTokens: options.newTokens,
      strategies: options.strategies,
      runs: options.runs,
      warmup: options.warmup,
      blockSize: options.blockSize,
      growth: options.growth,
      kvCapacityTokens: options.kvCapacity ?? config.nCtx,
      kvDtype: options.kvDtype,
      seed: options.seed,
    };
    checkWorkload(workload, config);
    return workload;
  }, async (session, workload) => {
    const { facts } = session.gpu;
    const { promptIds: { length }, newTokens, strategies } = workload;
    say(
      `kvbench: ${session.modelName} on ${facts.description}${facts.software ? " (software)" : ""}, ` +
        `${length} prompt + ${newTokens} new tokens, ${strategies.join(" · ")}`,
    );
    return await measure(session, workload);
  });
  if (options.json === "-") console.log(JSON.stringify(result, null, 2));
  else {
    say(benchTable(result));
    const text = result.results[0]!.text;
    if (text !== null) {
      say(`The same ${options.newTokens} tokens from every strategy: ${JSON.stringify(text)}`);
    }
    if (options.json !== undefined) await writeJson(options.json, result);
  }
  if (folder !== undefined) await save(folder, result, say);
  else if (!quiet && options.out === undefined) {
    say(
      `Result and chart were not written: that needs --allow-read=${DEFAULT_FOLDER} --allow-write=${DEFAULT_FOLDER}`,
    );
  }
}

/** The folder to write to, or undefined where nothing is to be, or may be, written. */
async function outputFolder(options: Options): Promise<string | undefined> {
  if (options.out === undefined && options.json !== undefined) return undefined;
  const folder = options.out ?? DEFAULT_FOLDER;
  for (const name of ["write", "read"] as const) {
    if ((await Deno.permissions.query({ name, path: folder })).state === "granted") continue;
    if (options.out === undefined) return undefined;
    throw new KvbenchError(
      `Cannot write to ${folder}: run with --allow-read=${folder} --allow-write=${folder}`,
    );
  }
  return folder;
}

async function workloadPrompt(
  { prompt, promptIds: ids, promptTokens, seed }: Options,
  vocabSize: number,
  tokenizer: Session["tokenizer"],
): Promise<{ text: string | null; ids: readonly number[] }> {
  if (promptTokens !== undefined) {
    if (prompt !== undefined || ids !== undefined) {
      throw new UsageError(
        "--prompt-tokens makes a prompt up: wanted it alone, without --prompt or --prompt-ids",
      );
    }
    return { text: null, ids: syntheticPrompt(promptTokens, vocabSize, seed) };
  }
  if (prompt === undefined && ids === undefined && !tokenizer) {
    throw new UsageError("This model has no tokenizer: wanted --prompt-ids or --prompt-tokens");
  }
  return await promptIds(
    { prompt: ids === undefined ? prompt ?? DEFAULT_PROMPT : prompt, promptIds: ids },
    tokenizer,
  );
}

async function measure(
  { gpu, model, modelName, tokenizer }: Session,
  workload: Workload,
): Promise<BenchResult> {
  const created = new Date().toISOString();
  const environment = await describeEnvironment(gpu, model);
  const bar = progressBar();
  let done = 0;
  try {
    const { results, order } = await runBench(model, workload, {
      start: (runs) => bar.start("Measuring", runs, "runs"),
      step: (what) => bar.update(++done, what),
    });
    const { nLayer, nHead, nEmbd, nCtx, vocabSize } = model.config;
    const result: BenchResult = {
      schema_version: SCHEMA_VERSION,
      kind: "kvbench.bench",
      created,
      command: [...Deno.args],
      environment,
      model: {
        name: modelName,
        n_layer: nLayer,
        n_head: nHead,
        n_embd: nEmbd,
        n_ctx: nCtx,
        vocab_size: vocabSize,
        n_parameters: parameterCount(model.config),
        weights_dtype: model.weightsDtype,
        kv_dtype: workload.kvDtype,
        sha256: null,
      },
      workload: {
        prompt: workload.prompt,
        prompt_ids: [...workload.promptIds],
        prompt_tokens: workload.promptIds.length,
        new_tokens: workload.newTokens,
        sampling: "greedy",
        runs: workload.runs,
        warmup: workload.warmup,
        block_size: workload.blockSize,
        growth: workload.growth,
        kv_capacity_tokens: workload.kvCapacityTokens,
        seed: workload.seed,
        order,
      },
      results: results.map((each) => ({ ...each, text: tokenizer?.decode(each.token_ids) ?? null })),
    };
    return parseResult(result, "the result of this run");
  } finally {
    bar.stop();
  }
}

async function writeJson(path: string, result: BenchResult): Promise<void> {
  await writeWhole(path, JSON.stringify(result, null, 2) + "\n");
}

async function save(folder: string, result: BenchResult, say: (text: string) => void): Promise<void> {
  const name = await nextResultName(folder, new Date());
  await writeJson(`${folder}/${name}.json`, result);
  say(`Result: ${folder}/${name}.json`);
  const missing = await chartPermissions();
  if (missing.length > 0) return say(`Chart: not drawn, that needs ${missing.join(" ")}`);
  let png: Uint8Array;
  try {
    png = await drawCharts(result);
  } catch (error) {
    // The canvas is a native package that may not be at hand, offline for example; the result is, and is saved.
    if (error instanceof KvbenchError) return say(`Chart: not drawn. ${error.message}`);
    throw error;
  }
  await writeWhole(`${folder}/${name}.png`, png);
  say(`Chart:  ${folder}/${name}.png`);
}
