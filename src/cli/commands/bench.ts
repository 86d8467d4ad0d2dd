/**
 * `kvbench bench`: measures the strategies side by side; prints a table, writes a JSON result and a chart.
 */
import { sayKind } from "../../report/adapter_kind.ts";
import { dirname } from "node:path";
import { Command } from "../options/commander.ts";
import { UsageError } from "../../base/errors.ts";
import { strategyNames } from "../../kv/registry.ts";
import { cellKey, groupsOf } from "../../measure/run/grid.ts";
import type { Plan } from "../../measure/run/plan.ts";
import { type BenchResult, parseResult } from "../../measure/record/result.ts";
import { benchNeed } from "../../measure/run/bench_need.ts";
import { DEFAULT_DTYPE } from "../../formats/registry.ts";
import { shapeOf } from "../../simulate/model_shape.ts";
import { pagingGain } from "../../simulate/paging_gain.ts";
import { runBench } from "../../measure/run/run.ts";
import type { CheckRecord } from "../../measure/record/checks.ts";
import type { WeightsOrigin } from "../../checkpoint/checkpoint.ts";
import type { Gpt2 } from "../../model/gpt2.ts";
import { formatResults } from "../../report/formats.ts";
import { compareWithF32, prepareReference, scoredText } from "./bench/bench_accuracy.ts";
import { addBenchOptions, type BenchOptions, type PRESETS, refuseTwice } from "../options/bench_options.ts";
import { benchPlanOf } from "./bench/bench_plan.ts";
import { assertContinues } from "./bench/continuing.ts";
import { checkRecord } from "../../check/selftest_result.ts";
import { machineFacts } from "../../host/machine.ts";
import { newResult } from "../../measure/record/new_result.ts";
import { saveReports } from "./bench/bench_reports.ts";
import { checkFirst } from "../session/checked.ts";
import { quietly } from "../options/command_line.ts";
import { startOf } from "./bench/start.ts";
import { sayFirstLook } from "./bench/first_look.ts";
import { compareWithBaseline } from "./compare.ts";
import { ladderCommand } from "./ladder.ts";
import { checkDestination, type Destination, destinationOf, openResult } from "../options/destination.ts";
import { type Interrupt, watchInterrupts } from "../terminal/interrupt.ts";
import { liveView } from "../terminal/live_view.ts";
import { driverCacheState } from "../session/driver_cache.ts";
import { claimResult, readResult, type ResultFile } from "../session/result_file.ts";
import { hashed } from "../session/open_model.ts";
import { type Session, withSession } from "../session/session.ts";
import { display } from "../terminal/display.ts";
import { withProgress } from "../terminal/progress.ts";
import { writeLine } from "../terminal/stdout.ts";

/** Time from the first SIGINT or SIGTERM until the process is ended, in ms, whatever the GPU does. */
const END_WITHIN_MS = 1500;

/** An interrupted result that is resumed. */
interface Resumed {
  readonly path: string;
  readonly result: BenchResult;
}

/**
 * Declares the subcommand.
 *
 * @param resumed The result to resume; the options are then those that it was begun with.
 */
export function benchCommand(resumed?: Resumed): Command {
  const command = addBenchOptions(new Command("bench"));
  return command
    .summary(`Compare ${sayList(strategyNames("bench"))}: latency and memory`)
    .description("Measure the decode strategies side by side: latency, memory, and where K/V memory goes.")
    .action(async (options: BenchOptions) => {
      if (options.preset !== undefined) return await measurePreset(options.preset);
      refuseTwice(command, options);
      if (options.resume !== undefined) return await resume(command, options.resume);
      await run(options, resumed);
    });
}

const PRESET_COMMANDS: Readonly<Record<typeof PRESETS[number], () => Command>> = { ladder: ladderCommand };

/** Measures a preset, with the other arguments as options of its command. */
async function measurePreset(name: typeof PRESETS[number]): Promise<void> {
  const at = Deno.args.findIndex((argument) => /^--preset(?:=|$)/.test(argument));
  const [_, ...args] = Deno.args.toSpliced(at, Deno.args[at] === "--preset" ? 2 : 1);
  await quietly(PRESET_COMMANDS[name]()).parseAsync(args, { from: "user" });
}

/** Measures the rest of the result at `path`, with the options that it was begun with. */
async function resume(command: Command, path: string): Promise<void> {
  const other = command.options.find((option) =>
    option.attributeName() !== "resume" && command.getOptionValueSource(option.attributeName()) === "cli"
  );
  if (other) {
    throw new UsageError(`--resume takes every option from the result: expected no ${other.long} beside it`);
  }
  await readResult(path); // what is no result is left alone
  using _claim = await claimResult(path);
  const result = await readResult(path);
  if (result.complete) throw new UsageError(`${path} is complete: expected an interrupted result`);
  const [subcommand, ...args] = result.command;
  if (subcommand !== command.name()) {
    throw new UsageError(`${path} was not made by bench: expected an interrupted result of bench`);
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
    : destinationOf(options);
  await checkDestination(to);
  using claims = new DisposableStack();
  if (!resumed && to.file !== undefined) claims.use(await claimResult(to.file));
  if (options.failOn !== undefined && options.baseline === undefined) {
    throw new UsageError("--fail-on needs something to compare with: expected --baseline beside it");
  }
  const baseline = options.baseline === undefined ? undefined : await readResult(options.baseline);
  const say = (text: string) => to.quiet ? undefined : writeLine(text);
  using interrupt = watchInterrupts({ withinMs: END_WITHIN_MS });
  let file: ResultFile | undefined;
  const cacheBefore = await driverCacheState();
  const result = await withSession(options, async (checkpoint, tokenizer) => {
    const plan = await benchPlanOf(options, checkpoint.config, tokenizer);
    if (baseline) assertComparable(plan, baseline, options.baseline!);
    const weights = await hashed(checkpoint);
    const text = scoredText(tokenizer, checkpoint.config);
    const f32 = resumed ? undefined : await prepareReference(checkpoint, { plan, text }, options);
    const types = { weightsDtype: options.weightsDtype, kvDtype: DEFAULT_DTYPE };
    return {
      plan,
      text,
      weights,
      f32,
      shape: shapeOf(checkpoint.name, checkpoint.config, types),
      modelName: checkpoint.name,
    };
  }, async (session, { plan, text, weights, f32, shape, modelName }) => {
    const selfCheck = await check(session.model, plan, weights);
    const compared = resumed?.result ?? await compareWithF32(session.model, { plan, text }, f32);
    const sequences = resumed || !options.serving ? null : await pagingGain(shape, plan.seed);
    const fresh = await withProgress(async (bar) => {
      bar.start("Measuring fence and readback");
      return newResult(session.model, {
        plan,
        name: modelName,
        weights,
        machine: await machineFacts(),
        command: Deno.args,
        selfCheck,
        accuracy: compared.accuracy,
        quality: compared.quality,
        accuracyMissing: compared.accuracy_missing,
        sequences: resumed ? resumed.result.sequences : sequences,
        start: await startOf(session, cacheBefore),
      });
    });
    if (resumed) assertContinues(resumed.path, resumed.result, fresh);
    const record = resumed?.result ?? fresh;
    file = await openResult(to, record);
    if (file !== undefined && to.file === undefined) claims.use(await claimResult(file.path));
    if (file !== undefined) say(`Result: ${file.path}`);
    return await measure(session, record, { file, quiet: to.quiet, interrupt });
  }, ({ plan, weights, modelName }) => ({
    work: (context) => benchNeed(context, plan),
    tunes: true,
    ...(!to.quiet && {
      look: async (model) => {
        const { facts } = model.gpu;
        say(
          `kvbench: ${modelName} on ${facts.description} (${sayKind(facts, "hardware")}), ${sayPlan(plan)}`,
        );
        await check(model, plan, weights);
        await sayFirstLook(model, plan, say);
      },
    }),
  }));
  const format = !resumed && options.json === "-" ? "json" : options.format;
  if (result.cells.length > 0 || format === "json") writeLine(formatResults([result], format, options.wide));
  if (interrupt.exitCode !== 0) {
    console.error(`kvbench: ${sayInterrupted(result, file)}`);
    Deno.exitCode = interrupt.exitCode;
    return;
  }
  if (to.folder !== undefined) await saveReports(file!.path, result, { say, lang: options.lang });
  else if (to.hint !== undefined) say(to.hint);
  if (baseline) {
    const print = (text: string) =>
      to.quiet ? console.error(text) : writeLine(`\n${options.baseline} → this run\n\n${text}`);
    compareWithBaseline(baseline, result, options, print);
  }
}

/** Kernel variants that were checked in this process, and the checks that they passed. */
const checked = new Map<string, CheckRecord[]>();

/** Checks the model's results with its kernel variants, before anything is timed. */
async function check(model: Gpt2, plan: Plan, weights: WeightsOrigin): Promise<CheckRecord[]> {
  const variants = JSON.stringify({ ...model.tuning, name: undefined });
  const before = checked.get(variants);
  if (before !== undefined) return before;
  const { strategies, grid: { kv_dtype: kvDtypes } } = plan;
  const passed = (await checkFirst(model, { weights, strategies, kvDtypes })).map(checkRecord);
  checked.set(variants, passed);
  return passed;
}

/** Refuses, before anything is measured, a plan that has no cell in common with the baseline. */
function assertComparable(plan: Plan, baseline: BenchResult, path: string): void {
  const keys = new Set(baseline.cells.map(cellKey));
  if (groupsOf(plan).flat().some((cell) => keys.has(cellKey(cell)))) return;
  throw new UsageError(
    `No cell of ${path} has the settings of this run: expected at least one cell in common`,
  );
}

/** Arguments of {@linkcode measure} besides the session and the record. */
interface Measuring {
  readonly file: ResultFile | undefined;
  readonly quiet: boolean;
  readonly interrupt: Interrupt;
}

async function measure(
  { model, tokenizer }: Session,
  record: BenchResult,
  { file, quiet, interrupt: { signal, lastWords } }: Measuring,
): Promise<BenchResult> {
  const view = liveView(quiet ? undefined : display(), record.plan, {
    ...(!quiet && { say: (line: string) => console.error(line) }),
  });
  let latest = record;
  const keep = async (result: BenchResult) => {
    await file?.update(result);
    lastWords(`kvbench: ${sayInterrupted(result, file)}`);
  };
  // The run under way may take longer than the time that is left.
  const flush = () => void file?.update(latest, true).catch(() => {}); // the end of the run tries again, and reports a failure
  lastWords(`kvbench: ${sayInterrupted(record, file)}`);
  signal.addEventListener("abort", flush);
  try {
    const result = await runBench(model, record, {
      signal,
      decode: tokenizer && ((ids) => tokenizer.decode(ids, record.plan.prompt_ids ?? [])),
      progress: {
        group: view.group,
        run: view.run,
        record: async (result) => {
          latest = result;
          await view.record(result);
          await keep(result);
        },
      },
    });
    parseResult(result, "the result of this run");
    await file?.write(result);
    lastWords(`kvbench: ${sayInterrupted(result, file)}`);
    return result;
  } catch (error) {
    if (latest === record) await file?.withdraw();
    else await sayKept(latest, file);
    throw error;
  } finally {
    signal.removeEventListener("abort", flush);
    view.clear();
  }
}

/** Writes the cells measured before a failure to the file, or to stdout if that fails, and says where they are. */
async function sayKept(latest: BenchResult, file: ResultFile | undefined): Promise<void> {
  // The error that is reported is the first failure, not one of saving.
  const kept = await file?.write(latest).then(() => latest, () => file.read().catch(() => undefined));
  if (kept === undefined) writeLine(formatResults([latest], "table"));
  console.error(`kvbench: ${sayInterrupted(kept ?? latest, kept && file)}`);
}

function sayPlan(plan: Plan): string {
  const { prompt_tokens, new_tokens, batch } = plan.grid;
  const sizes = `${prompt_tokens.join("/")} prompt + ${new_tokens.join("/")} new tokens`;
  const sequences = batch.length === 1 && batch[0] === 1 ? "" : `, batch ${batch.join("/")}`;
  return `${sizes}${sequences}, ${plan.strategies.join(" · ")}`;
}

function sayInterrupted({ plan, cells, complete }: BenchResult, file: ResultFile | undefined): string {
  const all = groupsOf(plan).reduce((sum, group) => sum + group.length, 0);
  const measured = `Interrupted with ${cells.length} of ${all} cells measured`;
  if (file === undefined) return `${measured}, none of them written to a file`;
  if (complete) return `${measured}, in ${file.path}`;
  return `${measured}, in ${file.path}. Resume with: kvbench bench --resume ${file.path}`;
}

/** Says names as "a, b and c". */
function sayList(names: readonly string[]): string {
  return names.join(", ").replace(/, ([^,]*)$/, " and $1");
}
