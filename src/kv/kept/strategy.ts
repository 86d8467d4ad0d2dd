/**
 * Strategies that keep some tokens of each head, made of a rule.
 *
 * @module
 */
import { SLOT_GROUP } from "../slot_group.ts";
import type { KvTraits } from "../policy.ts";
import type { AddressCase, KvAddressing, KvNeed, KvOptions, StrategyDef } from "../strategy_def.ts";
import { keptAround, PLACE_WORDS } from "./around.ts";
import { KEPT_PLACES, KV_KEPT } from "./files.ts";
import { KeptPolicy } from "./policy.ts";
import { keptReference, maskCase } from "./reference.ts";
import { type KeptRule, NO_BOUND } from "./rule.ts";

/** The traits of all of them. */
export const KEPT_TRAITS: KvTraits = {
  keeps: "some",
  exact: false,
  shares: false,
  preemptible: false,
  together: true,
};

function addressing(layersKept: number, mostSlots?: number): KvAddressing {
  return {
    files: [KEPT_PLACES, KV_KEPT],
    table: { width: PLACE_WORDS },
    slotGroup: SLOT_GROUP,
    layersKept,
    ...(mostSlots !== undefined && { mostSlots }),
  };
}

/** Makes a strategy; `ruleOf` makes its rule of its options. */
export function keptStrategy(
  { ruleOf, ...own }: Pick<StrategyDef, "name" | "line" | "options"> & {
    ruleOf(options: KvOptions): KeptRule;
  },
): StrategyDef {
  return {
    ...own,
    comparedIn: [],
    traits: KEPT_TRAITS,
    policy: (need, options) => new KeptPolicy(KEPT_TRAITS, ruleOf(options), need),
    addressing: ({ nLayer, nSequences, maxTokens }) => addressing(nLayer, nSequences * maxTokens),
    around: (need: KvNeed, options) =>
      keptAround(ruleOf(options), { ...need, maxPromptTokens: need.maxPromptTokens ?? need.maxTokens }),
    reference: (need, options) => keptReference(KEPT_TRAITS, ruleOf(options), need),
    cases: [caseOf(own.name), maskCase(`${own.name}'s mask`)],
  };
}

/** Sequences of whose prompts so many tokens were dropped; trials have rows from there on in these alone. */
const DROPPED = 200, EVERY = 7;

/** A region with two more slots for each sequence, some of which have dropped tokens. */
function caseOf(name: string): AddressCase {
  return {
    name,
    lay: ({ nSequences, tokensPerSequence }) => {
      const perRegion = tokensPerSequence + 2;
      const dropped = (sequence: number) =>
        sequence % EVERY === EVERY - 1 && tokensPerSequence > DROPPED ? DROPPED : 0;
      return {
        addressing: addressing(1),
        table: Array.from({ length: nSequences }, (_, sequence) => [
          ...[sequence * perRegion, dropped(sequence), NO_BOUND],
          ...Array(PLACE_WORDS - 3).fill(0),
        ]).flat(),
        nSlots: nSequences * perRegion,
        // What was dropped is in the place of the last slot, which holds no other token.
        slot: (sequence, position) =>
          sequence * perRegion +
          (position < dropped(sequence) ? perRegion - 1 : position - dropped(sequence)),
        isVisible: (row, position) => position <= row && (row < DROPPED || position >= DROPPED),
      };
    },
  };
}
