/**
 * `max`, `pow2` and `oracle`: contiguous caches in one arena, with a region reserved for each sequence when it is
 * admitted. The baselines of the PagedAttention paper (Kwon et al. 2023, section 6.1).
 */
import type { KvTraits } from "../policy.ts";
import type { KvNeed, KvOption, StrategyDef } from "../strategy_def.ts";
import { reservedAddressing } from "./addressing.ts";
import { ALLOCATOR_NAMES, type AllocatorName, type ArenaAllocator } from "./arena.ts";
import { BuddyAllocator } from "./buddy.ts";
import { FirstFitAllocator } from "./first_fit.ts";
import { ReservedPolicy } from "./policy.ts";
import { RESERVATION_NAMES, type ReservationName } from "./reservation.ts";

const traits: KvTraits = { keeps: "all", exact: true, shares: false, preemptible: true };

const ALLOCATOR: KvOption = {
  flag: "allocator",
  label: "",
  placeholder: "name",
  help: "Allocator of max, pow2 and oracle",
  values: ALLOCATOR_NAMES,
  default: "buddy",
};

const LINES: Readonly<Record<ReservationName, StrategyDef["line"]>> = {
  max: { light: "#CC79A7", dark: "#E09CC4", dashed: true },
  pow2: { light: "#B8860B", dark: "#E6C84A", dashed: true },
  oracle: { light: "#56B4E9", dark: "#8FD0F5", dashed: true },
};

/** One strategy for each reservation. */
export const RESERVED: readonly StrategyDef[] = RESERVATION_NAMES.map((reserve) => ({
  name: reserve,
  line: LINES[reserve],
  comparedIn: ["serving"],
  traits,
  options: { allocator: ALLOCATOR },
  policy: (need, { allocator }) =>
    new ReservedPolicy({
      traits,
      allocator: allocatorFor(allocator as AllocatorName, need),
      reserve,
      maxTokens: need.maxTokens,
    }),
  addressing: ({ nLayer }) => reservedAddressing(nLayer),
  cases: reserve !== "oracle" ? [] : [{
    name: "arena",
    lay: ({ nSequences, tokensPerSequence }) => {
      const spacing = tokensPerSequence + 3;
      const starts = Array.from({ length: nSequences }, (_, i) => (nSequences - 1 - i) * spacing + 2);
      return {
        addressing: { ...reservedAddressing(1), slotGroup: 8 },
        table: starts,
        nSlots: nSequences * spacing + 2,
        slot: (sequence, position) => starts[sequence]! + position,
      };
    },
  }],
}));

function allocatorFor(name: AllocatorName, { budgetTokens, nSequences, maxTokens }: KvNeed): ArenaAllocator {
  const isBuddy = name === "buddy";
  const region = isBuddy ? 2 ** Math.ceil(Math.log2(maxTokens)) : maxTokens;
  const size = budgetTokens ?? nSequences * region;
  return isBuddy ? new BuddyAllocator(size) : new FirstFitAllocator(size);
}
