/**
 * `no-cache`: every step computes its sequences from their beginnings. K and V live for the length of one layer, in a
 * scratch that all layers share.
 */
import { contiguousAddressing } from "../contiguous/addressing.ts";
import { ContiguousPolicy } from "../contiguous/policy.ts";
import type { KvTraits } from "../policy.ts";
import { reservedAddressing } from "../reserved/addressing.ts";
import { FirstFitAllocator } from "../reserved/first_fit.ts";
import { ReservedPolicy } from "../reserved/policy.ts";
import type { StrategyDef } from "../strategy_def.ts";

const traits: KvTraits = { keeps: "nothing", exact: true, shares: false, preemptible: true };

/** The baseline of all. */
export const NONE: StrategyDef = {
  name: "no-cache",
  line: { light: "#D55E00", dark: "#FF8C42" },
  comparedIn: ["bench"],
  traits,
  options: {},
  // Many sequences share a scratch for the tokens of one step, in regions; few have a region each, without a table.
  policy: ({ nSequences, maxTokens, maxRows, budgetTokens, nLayer }) =>
    budgetTokens === undefined
      ? new ContiguousPolicy({ traits, nRegions: nSequences, capacity: maxTokens, growth: "static" })
      : new ReservedPolicy({
        traits,
        // First fit, since the scratch has no reason to be a power of two.
        allocator: new FirstFitAllocator(Math.min(maxRows, budgetTokens * nLayer)),
        reserve: "oracle",
        maxTokens,
      }),
  addressing: ({ maxTokens, budgetTokens }) =>
    budgetTokens === undefined ? contiguousAddressing(maxTokens, 1) : reservedAddressing(1),
  cases: [],
};
