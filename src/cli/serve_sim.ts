/**
 * `kvbench serve-sim`: many requests against a K/V budget, with one policy after another; prints a table and writes a
 * JSON result.
 *
 * @module
 */
import { Command, Option } from "npm:commander@15.1.0";
import { POLICY_NAMES, type PolicyName } from "../engine/scheduler/create_memory.ts";
import { type Preemption, PREEMPTIONS } from "../engine/scheduler/scheduler.ts";
import { KvbenchError, UsageError } from "../errors.ts";
import { locateModel } from "../hub/locate.ts";
import { ALLOCATOR_NAMES, type AllocatorName } from "../kv/arena.ts";
import { dryRun } from "../measure/serving/dry_run.ts";
import { HARDWARE, type Hardware } from "../measure/serving/hardware.ts";
import { parseLengths } from "../measure/serving/length_file.ts";
import { DATA_SETS, type DataSet, FITTED_CONTEXT } from "../measure/serving/lengths.ts";
import { type ModelShape, OPT_SHAPES, shapeOf } from "../measure/serving/model_shape.ts";
import type { LengthSource, ServingPlan } from "../measure/serving/plan.ts";
import { parseServing, SERVING_KIND, type ServingResult } from "../measure/serving/result.ts";
import { type Gpt2Config, type PresetName, PRESETS } from "../model/config.ts";
import { servingTable } from "../report/serving_table.ts";
import { writeWhole } from "../report/write.ts";
import { VERSION } from "../version.ts";
import { addKvDtypeOption, addModelOptions, type PrecisionOptions } from "./model_options.ts";
import { progressBar } from "./progress.ts";
import { byteCount, decimal, nameList, wholeNumber } from "./values.ts";

interface Options extends PrecisionOptions {
  readonly dryRun: boolean;
  readonly gpu: string;
  readonly policies: PolicyName[];
  readonly kvBudget?: number;
  readonly swapSpace: number;
  readonly blockSize: number;
  readonly watermark?: number;
  readonly allocator: AllocatorName;
  readonly preemption: Preemption;
  readonly maxSequences: number;
  readonly maxRows: number;
  readonly lengths: string;
  readonly lengthScale?: number;
  readonly requests?: number;
  readonly rate?: number;
  readonly numReturnSequences: number;
  readonly prefixTokens: number;
  readonly prefixGroups: number;
  readonly ttftLimit?: number;
  readonly tpotLimit?: number;
  readonly seed: number;
  readonly verify: boolean;
  readonly json?: string;
}

/** Full contexts that the budget holds where none is given. */
const DEFAULT_CONTEXTS = 4;
const DEFAULT_REQUESTS = 200;

/** Declares the subcommand. */
export function serveSimCommand(): Command {
  return addKvDtypeOption(addModelOptions(new Command("serve-sim")))
    .description("Serve many requests from one K/V budget, with one memory policy after another")
    .option("--dry-run", "without a GPU: scheduler and allocators alone, times from a model", false)
    .addOption(
      new Option("--gpu <name>", "whose rates the dry run's times are modelled on")
        .choices(HARDWARE.map(({ name }) => name)).default("a100-40gb"),
    )
    .option("--policies <names>", `which, with commas: ${POLICY_NAMES.join(", ")}`, nameList(POLICY_NAMES), [
      "max",
      "pow2",
      "oracle",
      "paged",
    ])
    .option(
      "--kv-budget <bytes>",
      `for K and V, such as 64MiB (default: ${DEFAULT_CONTEXTS} contexts)`,
      byteCount,
    )
    .option("--swap-space <bytes>", "host memory for what is swapped out", byteCount, 2 ** 30)
    .option("--block-size <tokens>", "tokens per KV block of paged, 1 to 256", wholeNumber(1, 256), 16)
    .option("--watermark <blocks>", "blocks that an admission leaves free (default: 1 %)", wholeNumber(0))
    .addOption(
      new Option("--allocator <name>", "of the contiguous policies").choices(ALLOCATOR_NAMES).default(
        "buddy",
      ),
    )
    .addOption(
      new Option("--preemption <how>", "what happens to K and V of a request that must make room")
        .choices(PREEMPTIONS).default("recompute"),
    )
    .option("--max-sequences <n>", "sequences that run at once at most", wholeNumber(1, 65_536), 256)
    .option("--max-rows <n>", "tokens that a step computes at most", wholeNumber(1, 1_048_576), 2048)
    .option("--lengths <source>", `${DATA_SETS.join(", ")}, or a CSV file of lengths`, "sharegpt")
    .option(
      "--length-scale <x>",
      `factor on drawn lengths (default: the model's context / ${FITTED_CONTEXT}, the context they are from)`,
      decimal,
    )
    .option(
      "--requests <n>",
      `how many (default: ${DEFAULT_REQUESTS}, or those of the file)`,
      wholeNumber(1, 1e8),
    )
    .option("--rate <n>", "requests per second, as a Poisson process (default: all at once)", decimal)
    .option("--num-return-sequences <n>", "continuations of each prompt", wholeNumber(1, 256), 1)
    .option("--prefix-tokens <n>", "tokens at the beginning that requests share", wholeNumber(0), 0)
    .option("--prefix-groups <n>", "how many such beginnings there are", wholeNumber(1, 1_000_000), 1)
    .option("--ttft-limit <ms>", "for goodput, with --tpot-limit", decimal)
    .option("--tpot-limit <ms>", "for goodput, with --ttft-limit", decimal)
    .option("--seed <n>", "of lengths, arrivals and prompts", wholeNumber(0, 2 ** 31 - 1), 0)
    .option("--verify", "check every invariant of the memory at every step", false)
    .option("--json <file>", "write the result there; with -, print it and nothing else")
    .action(run);
}

async function run(options: Options): Promise<void> {
  if (!options.dryRun) throw new UsageError("Only the dry run can serve: wanted --dry-run");
  const shape = await shapeFor(options);
  const plan = planOf(options, shape, await lengthSource(options));
  const hardware = HARDWARE.find(({ name }) => name === options.gpu)!;
  const created = new Date().toISOString();
  const bar = progressBar();
  let results: ServingResult["results"];
  try {
    let shown: PolicyName | undefined;
    results = await dryRun(plan, shape, {
      hardware,
      onProgress: (policy, nFinished) => {
        if (policy !== shown) bar.start(policy, plan.nRequests, "requests");
        shown = policy;
        bar.update(nFinished, policy);
      },
    });
  } finally {
    bar.stop();
  }
  const result = parseServing(
    recordOf(plan, shape, { created, hardware, results }),
    "the result of this run",
  );
  if (options.json === "-") return console.log(JSON.stringify(result, null, 2));
  console.log(servingTable(result));
  if (options.json === undefined) return;
  await writeWhole(options.json, JSON.stringify(result, null, 2) + "\n");
}

async function shapeFor({ model, weightsDtype, kvDtype }: Options): Promise<ModelShape> {
  const known = OPT_SHAPES.find(({ name }) => name === model);
  if (known !== undefined) return known;
  return shapeOf(model, await configFor(model), { weightsDtype, kvDtype });
}

/** A model's dimensions; those of published ones are known without a checkpoint. */
async function configFor(model: string): Promise<Gpt2Config> {
  if (Object.hasOwn(PRESETS, model)) return PRESETS[model as PresetName];
  const checkpoint = await locateModel(model);
  checkpoint.close();
  return checkpoint.config;
}

async function lengthSource({ lengths }: Options): Promise<LengthSource> {
  if (DATA_SETS.includes(lengths as DataSet)) return { dataSet: lengths as DataSet };
  let text: string;
  try {
    text = await Deno.readTextFile(lengths);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new KvbenchError(
      `Cannot read ${lengths}: ${(error as Error).message.split(":")[0]}; wanted ${
        DATA_SETS.join(", ")
      }, or a CSV file`,
    );
  }
  return { file: lengths, recorded: parseLengths(text, lengths) };
}

function planOf(options: Options, shape: ModelShape, lengths: LengthSource): ServingPlan {
  const { rate, ttftLimit, tpotLimit, prefixTokens, prefixGroups, lengthScale } = options;
  if (rate !== undefined && !(rate > 0)) {
    throw new UsageError(`Rate is ${rate}: wanted requests per second above 0`);
  }
  if (lengthScale !== undefined && !(lengthScale > 0)) {
    throw new UsageError(`Length scale is ${lengthScale}: wanted a factor above 0`);
  }
  if ((ttftLimit === undefined) !== (tpotLimit === undefined)) {
    throw new UsageError("One limit is given: goodput wants both, --ttft-limit and --tpot-limit");
  }
  if (prefixTokens >= shape.nCtx - 1) {
    throw new UsageError(
      `A shared beginning of ${prefixTokens} tokens leaves no room in a context of ${shape.nCtx} tokens`,
    );
  }
  const recorded = "recorded" in lengths ? lengths.recorded : undefined;
  const hasTimes = recorded?.[0]?.arrivalMs !== undefined;
  if (hasTimes && rate !== undefined) {
    throw new UsageError("The file of lengths says when requests come: wanted no --rate");
  }
  const nRequests = options.requests ?? recorded?.length ?? DEFAULT_REQUESTS;
  if (hasTimes && nRequests > recorded!.length) {
    throw new UsageError(
      `The file has times for ${recorded!.length} requests: wanted at most as many --requests`,
    );
  }
  return {
    policies: options.policies,
    lengths,
    lengthScale: recorded === undefined ? lengthScale ?? shape.nCtx / FITTED_CONTEXT : 1,
    nRequests,
    ratePerSecond: rate,
    continuations: options.numReturnSequences,
    prefixes: prefixTokens === 0 ? undefined : { tokens: prefixTokens, groups: prefixGroups },
    seed: options.seed,
    budgetBytes: options.kvBudget ?? DEFAULT_CONTEXTS * shape.nCtx * shape.kvTokenBytes,
    swapBytes: options.swapSpace,
    blockSize: options.blockSize,
    watermark: options.watermark,
    allocator: options.allocator,
    preemption: options.preemption,
    maxSequences: options.maxSequences,
    maxRows: options.maxRows,
    limits: ttftLimit === undefined ? undefined : { ttftMs: ttftLimit, tpotMs: tpotLimit! },
    verify: options.verify,
  };
}

function recordOf(
  plan: ServingPlan,
  shape: ModelShape,
  { created, hardware, results }: {
    readonly created: string;
    readonly hardware: Hardware;
    readonly results: ServingResult["results"];
  },
): ServingResult {
  return {
    schema_version: SERVING_KIND.version,
    kind: SERVING_KIND.kind,
    created,
    command: [...Deno.args],
    kvbench: VERSION,
    clock: {
      source: "model",
      gpu: hardware.name,
      bytes_per_second: hardware.bytesPerSecond,
      flops_per_second: hardware.flopsPerSecond,
      host_bytes_per_second: hardware.hostBytesPerSecond,
      overhead_ms: hardware.overheadMs,
    },
    model: {
      name: shape.name,
      n_layer: shape.nLayer,
      width: shape.width,
      n_ctx: shape.nCtx,
      n_parameters: shape.parameters,
      weight_bytes: shape.weightBytes,
      kv_token_bytes: shape.kvTokenBytes,
    },
    workload: {
      lengths: "dataSet" in plan.lengths ? plan.lengths.dataSet : plan.lengths.file,
      length_scale: plan.lengthScale,
      requests: plan.nRequests,
      rate_per_second: plan.ratePerSecond ?? null,
      continuations: plan.continuations,
      prefix_groups: plan.prefixes?.groups ?? 0,
      prefix_tokens: plan.prefixes?.tokens ?? 0,
      seed: plan.seed,
    },
    limits: {
      kv_budget_bytes: plan.budgetBytes,
      swap_bytes: plan.swapBytes,
      block_size: plan.blockSize,
      watermark_blocks: plan.watermark ?? null,
      allocator: plan.allocator,
      preemption: plan.preemption,
      max_sequences: plan.maxSequences,
      max_rows: plan.maxRows,
      ttft_ms: plan.limits?.ttftMs ?? null,
      tpot_ms: plan.limits?.tpotMs ?? null,
    },
    results,
  };
}
