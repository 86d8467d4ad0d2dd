/** `kv-cache`: K and V of every computed token stay in one contiguous region per sequence. */
import { UsageError } from "../../base/errors.ts";
import type { KvTraits } from "../policy.ts";
import type { KvNeed, KvOption, KvOptions, StrategyDef } from "../strategy_def.ts";
import { contiguousAddressing } from "./addressing.ts";
import { ContiguousPolicy, type Growth, GROWTHS } from "./policy.ts";

const traits: KvTraits = { keeps: "all", exact: true, shares: false, preemptible: true };

/** Tokens that a sequence has room for at most. */
export const KV_CAPACITY: KvOption = {
  flag: "kv-capacity",
  label: "capacity",
  placeholder: "tokens",
  help: "Tokens per sequence that a static kv-cache reserves and the block pool holds",
  values: { min: 1, max: Number.MAX_SAFE_INTEGER },
  default: null,
  defaultText: "the model's context",
  isContextLength: true,
  applies: ({ growth }) => growth !== "dynamic",
};

const GROWTH: KvOption = {
  flag: "growth",
  label: "",
  placeholder: "type",
  help: "Memory of kv-cache, reserved up front or grown by copy",
  values: GROWTHS,
  default: "static",
};

/** The cache of textbooks. */
export const CONTIGUOUS_CACHE: StrategyDef = {
  name: "kv-cache",
  line: { light: "#0072B2", dark: "#4FA8E0" },
  comparedIn: ["bench"],
  traits,
  options: { growth: GROWTH, kv_capacity_tokens: KV_CAPACITY },
  concatenating: { growth: "dynamic" satisfies Growth },
  policy: (need, options) =>
    new ContiguousPolicy({
      traits,
      nRegions: regionsOf(need, options),
      capacity: capacityOf(need, options),
      growth: options.growth as Growth,
    }),
  addressing: (need, options) => {
    const capacity = capacityOf(need, options);
    if (options.growth === "static") return contiguousAddressing(capacity, need.nLayer);
    const mostSlots = Math.max(1, regionsOf(need, options) * capacity);
    // Slots of regions that move are groups of their own.
    return { ...contiguousAddressing(0, need.nLayer), mostSlots, slotGroup: 1 };
  },
  cases: [{
    name: "contiguous",
    lay: ({ nSequences, tokensPerSequence }) => ({
      addressing: contiguousAddressing(tokensPerSequence, 1),
      table: [tokensPerSequence],
      nSlots: nSequences * tokensPerSequence,
      slot: (sequence, position) => sequence * tokensPerSequence + position,
    }),
  }],
};

function capacityOf({ maxTokens }: KvNeed, { kv_capacity_tokens }: KvOptions): number {
  return kv_capacity_tokens === null ? maxTokens : Number(kv_capacity_tokens);
}

/** The sequences that have a region: all, or as many as the memory has room for. */
function regionsOf(need: KvNeed, options: KvOptions): number {
  const { nSequences, budgetTokens } = need, capacity = capacityOf(need, options);
  if (budgetTokens === undefined) return nSequences;
  if (budgetTokens >= capacity) return Math.min(nSequences, Math.floor(budgetTokens / capacity));
  throw new UsageError(
    `The K/V budget is ${budgetTokens} tokens: expected at least ${capacity}, one sequence's region`,
  );
}
