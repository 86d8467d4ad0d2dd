/**
 * `kvbench bench`: measures the strategies side by side; prints a table, writes a JSON result and a chart.
 *
 * @module
 */
import { dirname } from "node:path";
import { Command } from "npm:commander@15.1.0";
import { selfCheck } from "../check/self_check.ts";
import { UsageError } from "../errors.ts";
import { cellKey, groupsOf } from "../measure/grid.ts";
import type { Plan } from "../measure/plan.ts";
import { type BenchResult, parseResult } from "../measure/result.ts";
import { runBench } from "../measure/run.ts";
import type { WeightsOrigin } from "../model/checkpoint.ts";
import type { Gpt2 } from "../model/gpt2.ts";
import { formatResults } from "../report/formats.ts";
import { checkWritable } from "../report/write.ts";
import { compareWithF32, prepareReference } from "./bench_accuracy.ts";
import { addBenchOptions, type BenchOptions, refuseTwice } from "./bench_options.ts";
import { planOf } from "./bench_plan.ts";
import { assertContinues, emptyResult } from "./bench_record.ts";
import { saveReports } from "./bench_reports.ts";
import { quietly } from "./command_line.ts";
import { sayFirstLook } from "./first_look.ts";
import { compareWithBaseline } from "./compare.ts";
import { type Destination, destinationOf } from "./destination.ts";
import { type Interrupt, watchInterrupts } from "./interrupt.ts";
import { liveView, terminal } from "./live_view.ts";
import { readResult, ResultFile } from "./result_file.ts";
import { type Session, withSession } from "./session.ts";
import { writeLine } from "./stdout.ts";

/** A result that is taken up again. */
interface Resumed {
  readonly path: string;
  readonly result: BenchResult;
}

/**
 * Declares the subcommand.
 *
 * @param resumed The result that is taken up again, where the options are those that it was begun with.
 */
export function benchCommand(resumed?: Resumed): Command {
  const command = addBenchOptions(new Command("bench"));
  return command
    .description("Measure the decode strategies side by side: latency, memory, and where K/V memory goes")
    .action(async (options: BenchOptions) => {
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
  const [subcommand, ...args] = result.command;
  if (subcommand !== command.name()) {
    throw new UsageError(`${path} was not made by bench: it can't be gone on with`);
  }
  await quietly(benchCommand({ path, result })).parseAsync(args, { from: "user" });
}

async function run(options: BenchOptions, resumed: Resumed | undefined): Promise<void> {
  const to: Destination = resumed
    ? {
      file: resumed.path,
      quiet: false,
      // With --json nothing but the result is written.
      ...(options.json === undefined && { folder: dirname(resumed.path) }),
    }
    : await destinationOf(options);
  if (to.file !== undefined) await checkWritable(to.file);
  if (options.failOn !== undefined && options.baseline === undefined) {
    throw new UsageError("--fail-on needs something to compare with: wanted --baseline beside it");
  }
  const baseline = options.baseline === undefined ? undefined : await readResult(options.baseline);
  const say = (text: string) => to.quiet ? undefined : writeLine(text);
  using interrupt = watchInterrupts();
  const result = await withSession(options, async (checkpoint, tokenizer) => {
    const plan = await planOf(options, checkpoint.config, tokenizer);
    if (baseline) assertComparable(plan, baseline, options.baseline!);
    const weights = await checkpoint.origin();
    const f32 = resumed ? undefined : await prepareReference(checkpoint, plan, options);
    return { plan, weights, f32, modelName: checkpoint.name };
  }, async (session, { plan, weights, f32 }) => {
    if (to.file !== undefined) say(`Result: ${to.file}`);
    await check(session.model, plan, weights);
    const compared = resumed?.result ?? await compareWithF32(session.model, plan, f32);
    const fresh = await emptyResult(session, plan, weights, compared);
    if (resumed) assertContinues(resumed.path, resumed.result, fresh);
    return await measure(session, resumed?.result ?? fresh, to, interrupt);
  }, ({ plan, weights, modelName }) => ({
    tunes: true,
    ...(!to.quiet && {
      look: async (model) => {
        const { facts } = model.gpu;
        say(
          `kvbench: ${modelName} on ${facts.description}${facts.software ? " (software)" : ""}, ${
            sayPlan(plan)
          }`,
        );
        await check(model, plan, weights);
        await sayFirstLook(model, plan, say);
      },
    }),
  }));
  const format = !resumed && options.json === "-" ? "json" : options.format;
  if (result.cells.length > 0 || format === "json") writeLine(formatResults([result], format));
  if (interrupt.exitCode !== 0) {
    console.error(`kvbench: ${sayInterrupted(result, to)}`);
    Deno.exitCode = interrupt.exitCode;
    return;
  }
  if (to.folder !== undefined) await saveReports(to.file!, result, say);
  else if (to.hint !== undefined) say(to.hint);
  if (baseline) {
    const print = (text: string) =>
      to.quiet ? console.error(text) : writeLine(`\n${options.baseline} → this run\n\n${text}`);
    compareWithBaseline(baseline, result, options, print);
  }
}

/** Variants that have been checked in this process. */
const checked = new Set<string>();

/** Makes sure, before anything is timed, that the model computes what it should with its kernel variants. */
async function check(model: Gpt2, plan: Plan, weights: WeightsOrigin): Promise<void> {
  const variants = JSON.stringify({ ...model.tuning, name: undefined });
  if (checked.has(variants)) return;
  const { strategies: [strategy], grid: { kv_dtype: kvDtypes } } = plan;
  await selfCheck(model, { weights, strategy: strategy!, kvDtypes });
  checked.add(variants);
}

/** Refuses, before anything is measured, to measure what the baseline has nothing of. */
function assertComparable(plan: Plan, baseline: BenchResult, path: string): void {
  const keys = new Set(baseline.cells.map(cellKey));
  if (groupsOf(plan).flat().some((cell) => keys.has(cellKey(cell)))) return;
  throw new UsageError(
    `Nothing in ${path} has the settings that are asked for: wanted at least one cell in common`,
  );
}

async function measure(
  { model, tokenizer }: Session,
  record: BenchResult,
  to: Destination,
  { signal }: Interrupt,
): Promise<BenchResult> {
  const file = to.file === undefined ? undefined : new ResultFile(to.file);
  const view = liveView(to.quiet ? undefined : terminal(), record.plan);
  let latest = record;
  try {
    const result = await runBench(model, record, {
      signal,
      decode: tokenizer && ((ids) => tokenizer.decode([...ids])),
      progress: {
        group: view.group,
        run: view.run,
        record: async (result) => {
          latest = result;
          await view.record(result);
          await file?.update(result);
        },
      },
    });
    parseResult(result, "the result of this run");
    await file?.write(result);
    return result;
  } catch (error) {
    if (latest !== record) {
      await file?.write(latest).catch(() => {}); // what failed is the error to tell
      console.error(`kvbench: ${sayInterrupted(latest, to)}`);
    }
    throw error;
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
