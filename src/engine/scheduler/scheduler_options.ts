/**
 * Limits of a scheduler, and what follows from them alone: the memory that they suit, and the requests that can run.
 */
import { UsageError } from "../../base/errors.ts";
import type { KvPolicy, KvTraits } from "../../kv/policy.ts";
import type { Request } from "./request.ts";

/** Treatments of a preempted request's K and V. */
export const PREEMPTIONS = ["recompute", "swap"] as const;
/** A treatment of a preempted request's K and V. */
export type Preemption = (typeof PREEMPTIONS)[number];

/** Limits of a scheduler. */
export interface SchedulerOptions {
  /** The longest sequence, in tokens. */
  readonly nCtx: number;
  /** Sequences that may be open at once. */
  readonly maxSequences: number;
  /** Tokens that a step may compute; at least `maxSequences`, so that all can decode. */
  readonly maxRows: number;
  /** Treatment of preempted K and V; swapping falls back to recomputing where host memory is full. */
  readonly preemption: Preemption;
}

/**
 * Checks that steps are large enough.
 *
 * @throws {UsageError} If a step could not decode one token of every sequence, or not compute a whole sequence where
 * the memory keeps nothing.
 */
export function checkOptions(
  { maxSequences, maxRows }: SchedulerOptions,
  memory: Pick<KvPolicy, "traits" | "usage">,
): void {
  if (memory.traits.together) {
    throw new UsageError(
      "The strategy chooses tokens of whole prompts, which begin together: expected one that can be scheduled",
    );
  }
  const { capacity } = memory.usage();
  if (memory.traits.keeps === "nothing" && maxRows < capacity) {
    throw new UsageError(
      `A step of ${maxRows} tokens is too small for a scratch of ${capacity}: expected at least as many, since ` +
        "every sequence is computed whole",
    );
  }
  if (maxRows < maxSequences) {
    throw new UsageError(
      `A step of ${maxRows} tokens is too small for ${maxSequences} sequences: expected at least one token for each`,
    );
  }
}

/** Why a request is beyond the options and the traits, whatever the memory holds; undefined where it is not. */
export function refusalOf(
  { promptTokens, newTokens, continuations = 1 }: Request,
  { nCtx, maxSequences }: SchedulerOptions,
  { unforked }: Pick<KvTraits, "unforked">,
): string | undefined {
  if (promptTokens + newTokens > nCtx) {
    return `${promptTokens} prompt tokens and ${newTokens} new tokens make ${promptTokens + newTokens}, ` +
      `and the context is ${nCtx}`;
  }
  if (continuations > maxSequences) {
    return `it asks for ${continuations} sequences, and at most ${maxSequences} run at once`;
  }
  if (continuations > 1 && unforked !== undefined) {
    return `it asks for ${continuations} sequences, which the strategy cannot fork, since ${unforked}`;
  }
  return undefined;
}
