/**
 * The options that describe a serving simulation, and the plan that they come to.
 *
 * @module
 */
import type { Command } from "./commander.ts";
import { POLICY_NAMES, type PolicyName } from "../engine/scheduler/create_memory.ts";
import { KvbenchError, UsageError } from "../errors.ts";
import { decodeUtf8 } from "../model/utf8.ts";
import { parseLengths } from "../measure/serving/length_file.ts";
import { DATA_SETS, type DataSet, FITTED_CONTEXT } from "../measure/serving/lengths.ts";
import type { ModelShape } from "../measure/serving/model_shape.ts";
import type { LengthSource, ServingPlan } from "../measure/serving/plan.ts";
import { addMemoryOptions, GPU_LIMITS, type MemoryOptions, memoryPlanOf } from "./memory_options.ts";
import { MOST_SECONDS, MOST_TOKENS, nameList, positive, wholeNumber } from "./values.ts";

/** Values of {@link addServingOptions}. */
export interface ServingOptions extends MemoryOptions {
  readonly policies: PolicyName[];
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
}

const DEFAULT_REQUESTS = 200;

/** Sequences at once and tokens per step at most, where none are given and nothing is computed. */
const DRY_LIMITS = { maxSequences: 256, maxRows: 2048 };

/** Adds the options to a subcommand. */
export function addServingOptions(command: Command): Command {
  command.option(
    "--policies <names>",
    `which, with commas: ${POLICY_NAMES.join(", ")}`,
    nameList(POLICY_NAMES),
    ["max", "pow2", "oracle", "paged"],
  );
  return addMemoryOptions(command)
    .option("--lengths <source>", `${DATA_SETS.join(", ")}, or a CSV file of lengths`, "sharegpt")
    .option(
      "--length-scale <x>",
      `factor on drawn lengths (default: the model's context / ${FITTED_CONTEXT}, the context they are from)`,
      positive(1000),
    )
    .option(
      "--requests <n>",
      `how many (default: ${DEFAULT_REQUESTS}, or those of the file)`,
      wholeNumber(1, 1e8),
    )
    .option("--rate <n>", "requests per second, as a Poisson process (default: all at once)", positive(1e6))
    .option("--num-return-sequences <n>", "continuations of each prompt", wholeNumber(1, 256), 1)
    .option(
      "--prefix-tokens <n>",
      "tokens at the beginning that requests share",
      wholeNumber(0, MOST_TOKENS),
      0,
    )
    .option("--prefix-groups <n>", "how many such beginnings there are", wholeNumber(1, 1_000_000), 1)
    .option("--ttft-limit <ms>", "for goodput, with --tpot-limit", positive(1000 * MOST_SECONDS))
    .option("--tpot-limit <ms>", "for goodput, with --ttft-limit", positive(1000 * MOST_SECONDS))
    .option("--seed <n>", "of lengths, arrivals and prompts", wholeNumber(0, 2 ** 31 - 1), 0)
    .option("--verify", "check every invariant of the memory at every step", false);
}

/**
 * Reads lengths where they are in a file.
 *
 * @throws {KvbenchError} If it can't be read, or a line is wrong.
 */
export async function lengthSource({ lengths }: Pick<ServingOptions, "lengths">): Promise<LengthSource> {
  if (DATA_SETS.includes(lengths as DataSet)) return { dataSet: lengths as DataSet };
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(lengths);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new KvbenchError(
      `Cannot read ${lengths}: ${(error as Error).message.split(":")[0]}; wanted ${
        DATA_SETS.join(", ")
      }, or a CSV file`,
    );
  }
  const text = decodeUtf8(bytes, lengths), recorded = parseLengths(text, lengths);
  if (!text.endsWith("\n")) {
    console.error(`Caution: the last line of ${lengths} has no end: if the file was cut, it may be wrong`);
  }
  return { file: lengths, recorded };
}

/**
 * Makes the plan for a model.
 *
 * @throws {UsageError} If options contradict each other or the model.
 */
export function planOf(
  options: ServingOptions,
  shape: ModelShape,
  { lengths, dryRun }: { readonly lengths: LengthSource; readonly dryRun: boolean },
): ServingPlan {
  const { rate, ttftLimit, tpotLimit, prefixTokens, prefixGroups, lengthScale } = options;
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
    ...memoryPlanOf(options, shape, dryRun ? DRY_LIMITS : GPU_LIMITS),
    policies: options.policies,
    lengths,
    lengthScale: recorded === undefined ? lengthScale ?? shape.nCtx / FITTED_CONTEXT : 1,
    nRequests,
    ratePerSecond: rate,
    continuations: options.numReturnSequences,
    prefixes: prefixTokens === 0 ? undefined : { tokens: prefixTokens, groups: prefixGroups },
    seed: options.seed,
    limits: ttftLimit === undefined ? undefined : { ttftMs: ttftLimit, tpotMs: tpotLimit! },
    verify: options.verify,
  };
}
