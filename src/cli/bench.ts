/**
 * `kvbench bench`: measures the strategies side by side; prints a table, writes a JSON result and a chart.
 *
 * @module
 */
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Command, Option } from "npm:commander@15.1.0";
import { KvbenchError, UsageError } from "../errors.ts";
import { GROWTHS, STRATEGY_NAMES } from "../kv/strategy.ts";
import { describeEnvironment } from "../measure/environment.ts";
import { groupsOf } from "../measure/grid.ts";
import type { Plan } from "../measure/plan.ts";
import { type BenchResult, parseResult, SCHEMA_VERSION } from "../measure/result.ts";
import { runBench } from "../measure/run.ts";
import type { WeightsOrigin } from "../model/checkpoint.ts";
import { parameterCount } from "../model/config.ts";
import { formatJson } from "../report/json.ts";
import { benchTable } from "../report/table.ts";
import { checkWritable } from "../report/write.ts";
import {
  type AccuracyOptions,
  type AccuracyRecord,
  compareWithF32,
  prepareReference,
} from "./bench_accuracy.ts";
import { saveReports } from "./bench_reports.ts";
import { DEFAULT_PROMPT, planOf, type PlanOptions } from "./bench_plan.ts";
import { DEFAULT_FOLDER, type Destination, destinationOf } from "./destination.ts";
import { type Interrupt, watchInterrupts } from "./interrupt.ts";
import { liveView, terminal } from "./live_view.ts";
import { addKvDtypeOption, addModelOptions } from "./model_options.ts";
import { readResult, ResultFile } from "./result_file.ts";
import { type Session, withSession } from "./session.ts";
import { sweepOption, SWEPT } from "./sweep.ts";
import { idList, nameList, share, wholeNumber } from "./values.ts";

interface Options extends PlanOptions, AccuracyOptions {
  readonly out?: string;
  readonly json?: string;
  readonly resume?: string;
}

/** Options that a sweep of the same name takes the place of. */
const SWEPT_OPTIONS: Readonly<Record<string, string>> = {
  promptTokens: "prompt_tokens",
  newTokens: "new_tokens",
  batch: "batch",
  kvDtype: "kv_dtype",
  blockSize: "block_size",
  growth: "growth",
  kvCapacity: "kv_capacity_tokens",
};

/**
 * Declares the subcommand.
 *
 * @param resumed The result that is taken up again, where the options are those that it was begun with.
 */
export function benchCommand(resumed?: { readonly path: string; readonly result: BenchResult }): Command {
  const command = addKvDtypeOption(addModelOptions(new Command("bench")));
  return command
    .description("Measure the decode strategies side by side: latency, memory, and where K/V memory goes")
    .option("--prompt <text>", `text to continue (default: "${DEFAULT_PROMPT}")`)
    .option("--prompt-ids <ids>", "token ids in place of text, such as 464,3290", idList)
    .option("--prompt-tokens <n>", "a made-up prompt of n ids, from the seed", wholeNumber(1))
    .option("--new-tokens <n>", "tokens to generate, greedily", wholeNumber(1), 50)
    .option("--batch <n>", "sequences to decode together", wholeNumber(1, 1024), 1)
    .option("--strategies <names>", "which, with commas", nameList(STRATEGY_NAMES), [...STRATEGY_NAMES])
    .option("--block-size <tokens>", "tokens per KV block of paged, 1 to 256", wholeNumber(1, 256), 16)
    .addOption(new Option("--growth <how>", "memory of kv-cache").choices(GROWTHS).default("static"))
    .option(
      "--kv-capacity <tokens>",
      "tokens that a static kv-cache reserves and the block pool holds, per sequence (default: the model's context)",
      wholeNumber(1),
    )
    .option(
      "--sweep <name=values>",
      `several values of a setting, as batch=1,2,4; may be given several times (${SWEPT.join(", ")})`,
      sweepOption,
    )
    .option(
      "--warmup <n>",
      "runs of each before the measured ones (default: until steady)",
      wholeNumber(0, 1000),
    )
    .option("--runs <n>", "measured runs of each (default: until precise)", wholeNumber(1, 1000))
    .option(
      "--target-ci <share>",
      "precise: half of the interval of the median total, as a share of it",
      share(0.001, 1),
      0.025,
    )
    .option("--max-seconds <n>", "time for the measured runs of one setting", wholeNumber(1), 30)
    .option("--seed <n>", "of the order of runs and of a made-up prompt", wholeNumber(0, 2 ** 32 - 1), 0)
    .option("--no-accuracy", "do not compare weights, K and V that are narrower than float32 with float32")
    .option("--out <folder>", `folder for the result and the chart (default: "${DEFAULT_FOLDER}")`)
    .option("--json <file>", "write the result there; with -, print it and nothing else")
    .option("--resume <file>", "go on with a result that was interrupted; takes no other option")
    .action(async (options: Options) => {
      refuseTwice(command, options);
      if (options.resume !== undefined) return await resume(command, options.resume);
      await run(options, resumed);
    });
}

/** Measures the rest of the result at `path`, with the options that it was begun with. */
async function resume(command: Command, path: string): Promise<void> {
  const other = command.options.find((option) =>
    option.attributeName() !== "resume" && command.getOptionValueSource(option.attributeName()) === "cli"
  );
  if (other) {
    throw new UsageError(`--resume takes every option from the result: wanted no ${other.long} beside it`);
  }
  const result = await readResult(path);
  if (result.complete) throw new UsageError(`${path} is complete: there is nothing to go on with`);
  const again = benchCommand({ path, result }).exitOverride();
  await again.parseAsync(result.command.slice(1), { from: "user" });
}

/** Refuses an option whose setting is also swept. */
function refuseTwice(command: Command, { sweep = {} }: Options): void {
  for (const [option, key] of Object.entries(SWEPT_OPTIONS)) {
    if (!Object.hasOwn(sweep, key) || command.getOptionValueSource(option) !== "cli") continue;
    const { long } = command.options.find((each) => each.attributeName() === option)!;
    throw new UsageError(`${long} is given and swept: wanted one of them`);
  }
}

async function run(options: Options, resumed: Parameters<typeof benchCommand>[0]): Promise<void> {
  const to = resumed
    ? { file: resumed.path, folder: dirname(resumed.path), quiet: false }
    : await destinationOf(options);
  if (to.file !== undefined) await checkWritable(to.file);
  const say = (text: string) => to.quiet ? undefined : console.log(text);
  using interrupt = watchInterrupts();
  const result = await withSession(options, async (checkpoint, tokenizer) => {
    const plan = await planOf(options, checkpoint.config, tokenizer);
    const weights = await checkpoint.origin();
    const f32 = resumed ? undefined : await prepareReference(checkpoint, plan, options);
    return { plan, weights, f32 };
  }, async (session, { plan, weights, f32 }) => {
    const { gpu: { facts }, modelName } = session;
    say(
      `kvbench: ${modelName} on ${facts.description}${facts.software ? " (software)" : ""}, ${sayPlan(plan)}`,
    );
    if (to.file !== undefined) say(`Result: ${to.file}`);
    const compared = resumed?.result ?? await compareWithF32(session.model, plan, f32);
    const fresh = await emptyResult(session, plan, weights, compared);
    if (resumed) assertContinues(resumed, fresh);
    return await measure(session, resumed?.result ?? fresh, to, interrupt);
  });
  if (options.json === "-" && !resumed) console.log(formatJson(result));
  else if (result.cells.length > 0) say(benchTable(result));
  if (interrupt.exitCode !== 0) {
    console.error(`kvbench: ${sayInterrupted(result, to)}`);
    Deno.exitCode = interrupt.exitCode;
    return;
  }
  if (to.folder !== undefined) await saveReports(to.file!, result, say);
  else if (to.hint !== undefined) say(to.hint);
}

/** What a run begins with. */
async function emptyResult(
  { gpu, model, modelName }: Session,
  plan: Plan,
  weights: WeightsOrigin,
  { accuracy, accuracy_missing }: AccuracyRecord,
): Promise<BenchResult> {
  const { nLayer, nHead, nEmbd, nCtx, vocabSize } = model.config;
  return {
    schema_version: SCHEMA_VERSION,
    kind: "kvbench.bench",
    created: new Date().toISOString(),
    complete: false,
    command: [...Deno.args],
    environment: await describeEnvironment(gpu, model),
    model: {
      name: modelName,
      n_layer: nLayer,
      n_head: nHead,
      n_embd: nEmbd,
      n_ctx: nCtx,
      vocab_size: vocabSize,
      n_parameters: parameterCount(model.config),
      weights,
      weights_dtype: model.weightsDtype,
    },
    plan,
    accuracy,
    accuracy_missing,
    groups: [],
    cells: [],
    unfinished: null,
  };
}

/** Refuses to go on elsewhere than where a result was begun: its cells could not be compared with each other. */
function assertContinues({ path, result }: { path: string; result: BenchResult }, fresh: BenchResult): void {
  const facts = ({ environment: { adapter, ...environment }, model, plan }: BenchResult) => ({
    "version of kvbench": environment.kvbench,
    "version of Deno": environment.deno,
    "kernels": [environment.kernels_sha256, environment.tuning],
    "adapter": [adapter.description, adapter.vendor, adapter.device],
    "CPU": [environment.os, environment.arch, environment.cpu],
    "model": model,
    "plan": plan,
  });
  const [before, now] = [facts(result), facts(fresh)];
  for (const key of Object.keys(before) as (keyof typeof before)[]) {
    if (isDeepStrictEqual(before[key], now[key])) continue;
    throw new KvbenchError(
      `Cannot go on with ${path}: it was begun with another ${key}. Begin a new result in place of it`,
    );
  }
}

async function measure(
  { model, tokenizer }: Session,
  record: BenchResult,
  to: Destination,
  { signal }: Interrupt,
): Promise<BenchResult> {
  const file = to.file === undefined ? undefined : new ResultFile(to.file);
  const view = liveView(to.quiet ? undefined : terminal(), record.plan);
  try {
    const result = await runBench(model, record, {
      signal,
      decode: tokenizer && ((ids) => tokenizer.decode([...ids])),
      progress: {
        group: view.group,
        run: view.run,
        record: async (result) => {
          await view.record(result);
          await file?.update(result);
        },
      },
    });
    parseResult(result, "the result of this run");
    await file?.write(result);
    return result;
  } finally {
    view.clear();
  }
}

function sayPlan(plan: Plan): string {
  const { prompt_tokens, new_tokens, batch } = plan.grid;
  const sizes = `${prompt_tokens.join("/")} prompt + ${new_tokens.join("/")} new tokens`;
  const sequences = batch.length === 1 && batch[0] === 1 ? "" : `, batch ${batch.join("/")}`;
  return `${sizes}${sequences}, ${plan.strategies.join(" · ")}`;
}

function sayInterrupted({ plan, cells }: BenchResult, { file }: Destination): string {
  const all = groupsOf(plan).reduce((sum, group) => sum + group.length, 0);
  const measured = `Interrupted with ${cells.length} of ${all} cells measured`;
  if (file === undefined) return `${measured}, which are written nowhere`;
  return `${measured}, in ${file}. Go on with: kvbench bench --resume ${file}`;
}
