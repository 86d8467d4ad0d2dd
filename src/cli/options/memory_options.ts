/** The options of subcommands that serve many sequences from one K/V memory: its size and its division. */
import type { Command } from "./commander.ts";
import { PREEMPTIONS } from "../../engine/scheduler/scheduler_options.ts";
import type { ModelShape } from "../../simulate/model_shape.ts";
import type { MemoryPlan } from "../../simulate/plan.ts";
import { kvOptionsOf, kvOptionSpecs } from "./kv_options.ts";
import { addOptions, inGroup, optionList, type Values } from "./option_spec.ts";
import { byteCount, wholeNumber } from "./values.ts";

/** Default budget, in full contexts. */
const DEFAULT_CONTEXTS = 4;

/** Default limits of sequences and of tokens per step, small enough for software adapters. */
export const GPU_LIMITS = { maxSequences: 64, maxRows: 256 };

/** Default limits of a dry run. */
export const DRY_LIMITS = { maxSequences: 256, maxRows: 2048 };

const group = "K/V memory";

const MEMORY_OPTIONS = optionList(
  {
    flags: "--kv-budget <bytes>",
    help: "GPU memory for K and V, such as 64MiB",
    group,
    parse: byteCount,
    defaultText: `room for ${DEFAULT_CONTEXTS} full contexts`,
  },
  {
    flags: "--swap-space <bytes>",
    help: "Host memory for K and V that are swapped out",
    group,
    parse: byteCount,
    default: 2 ** 30,
    defaultText: "1GiB",
  },
  ...inGroup(
    "Scheduler",
    {
      flags: "--watermark <blocks>",
      help: "Blocks that stay free when a request is admitted",
      parse: wholeNumber(0, 2 ** 31),
      defaultText: "1 % of them",
    },
    {
      flags: "--preemption <type>",
      help: "Treatment of K and V of a preempted request",
      choices: PREEMPTIONS,
      default: "recompute",
    },
  ),
);

/** The options of a batch's limits. `limit` says the default of one. */
const limitOptions = (limit: (key: keyof typeof GPU_LIMITS) => string) =>
  inGroup("Scheduler", {
    flags: "--max-sequences <n>",
    help: "Most sequences that run at once",
    parse: wholeNumber(1, 65_536),
    defaultText: limit("maxSequences"),
  }, {
    flags: "--max-rows <n>",
    help: "Most tokens that a step computes",
    parse: wholeNumber(1, 1_048_576),
    defaultText: limit("maxRows"),
  });

/** Values of {@link addMemoryOptions}. */
export type MemoryOptions = Values<typeof MEMORY_OPTIONS> & Values<ReturnType<typeof limitOptions>>;

/**
 * Adds the options to a subcommand.
 *
 * @param dryRuns True if the subcommand has dry runs, which have other limits.
 */
export function addMemoryOptions(command: Command, { dryRuns }: { readonly dryRuns: boolean }): Command {
  const limits = limitOptions((key) =>
    dryRuns ? `${GPU_LIMITS[key]}; ${DRY_LIMITS[key]} in a dry run` : `${GPU_LIMITS[key]}`
  );
  return addOptions(command, ...MEMORY_OPTIONS, ...kvOptionSpecs({ contextLengths: false }), ...limits);
}

/** Makes the plan for a model. */
export function memoryPlanOf(
  options: MemoryOptions,
  shape: ModelShape,
  standard: { readonly maxSequences: number; readonly maxRows: number },
): MemoryPlan {
  return {
    budgetBytes: options.kvBudget ?? DEFAULT_CONTEXTS * shape.nCtx * shape.kvTokenBytes,
    swapBytes: options.swapSpace,
    kvOptions: kvOptionsOf(options),
    watermark: options.watermark,
    preemption: options.preemption,
    maxSequences: options.maxSequences ?? standard.maxSequences,
    maxRows: options.maxRows ?? standard.maxRows,
  };
}
