/**
 * The options of subcommands that serve many sequences from one K/V memory: how large it is and how it is cut.
 *
 * @module
 */
import { type Command, Option } from "./commander.ts";
import { type Preemption, PREEMPTIONS } from "../engine/scheduler/scheduler_options.ts";
import { ALLOCATOR_NAMES, type AllocatorName } from "../kv/arena.ts";
import type { ModelShape } from "../measure/serving/model_shape.ts";
import type { MemoryPlan } from "../measure/serving/plan.ts";
import { byteCount, wholeNumber } from "./values.ts";

/** Values of {@link addMemoryOptions}. */
export interface MemoryOptions {
  readonly kvBudget?: number;
  readonly swapSpace: number;
  readonly blockSize: number;
  readonly watermark?: number;
  readonly allocator: AllocatorName;
  readonly preemption: Preemption;
  readonly maxSequences?: number;
  readonly maxRows?: number;
}

/** Full contexts that the budget holds where none is given. */
const DEFAULT_CONTEXTS = 4;

/** Sequences at once and tokens per step at most, where none are given: for software adapters too, and for a model. */
export const GPU_LIMITS = { maxSequences: 64, maxRows: 256 };

/** Adds the options to a subcommand. */
export function addMemoryOptions(command: Command): Command {
  return command
    .option(
      "--kv-budget <bytes>",
      `for K and V, such as 64MiB (default: ${DEFAULT_CONTEXTS} contexts)`,
      byteCount,
    )
    .option("--swap-space <bytes>", "host memory for what is swapped out", byteCount, 2 ** 30)
    .option("--block-size <tokens>", "tokens per KV block of paged, 1 to 256", wholeNumber(1, 256), 16)
    .option(
      "--watermark <blocks>",
      "blocks that an admission leaves free (default: 1 %)",
      wholeNumber(0, 2 ** 31),
    )
    .addOption(
      new Option("--allocator <name>", "of the contiguous policies").choices(ALLOCATOR_NAMES).default(
        "buddy",
      ),
    )
    .addOption(
      new Option("--preemption <how>", "what happens to K and V of a request that must make room")
        .choices(PREEMPTIONS).default("recompute"),
    )
    .option("--max-sequences <n>", "sequences that run at once at most", wholeNumber(1, 65_536))
    .option("--max-rows <n>", "tokens that a step computes at most", wholeNumber(1, 1_048_576));
}

/** What the options come to for a model. */
export function memoryPlanOf(
  options: MemoryOptions,
  shape: ModelShape,
  standard: { readonly maxSequences: number; readonly maxRows: number },
): MemoryPlan {
  return {
    budgetBytes: options.kvBudget ?? DEFAULT_CONTEXTS * shape.nCtx * shape.kvTokenBytes,
    swapBytes: options.swapSpace,
    blockSize: options.blockSize,
    watermark: options.watermark,
    allocator: options.allocator,
    preemption: options.preemption,
    maxSequences: options.maxSequences ?? standard.maxSequences,
    maxRows: options.maxRows ?? standard.maxRows,
  };
}
