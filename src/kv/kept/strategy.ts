/** Strategies that keep some tokens of each head, made of a rule. */
import { SLOT_GROUP } from "../slot_group.ts";
import type { KvTraits } from "../policy.ts";
import type { AddressCase, KvAddressing, KvNeed, KvOptions, StrategyDef } from "../strategy_def.ts";
import { keptAround, PLACE_WORDS } from "./around.ts";
import { KEPT_PLACES, KV_KEPT } from "./files.ts";
import { KeptPolicy } from "./policy.ts";
import { keptReference, maskCase } from "./reference.ts";
import { type KeptRule, NO_BOUND } from "./rule.ts";

const KEPT_TRAITS: KvTraits = {
  keeps: "some",
  exact: false,
  shares: false,
  preemptible: false,
  together: true,
  unforked: "it chooses tokens of whole prompts",
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
  { ruleOf, cases = [], ...own }: Pick<StrategyDef, "name" | "line" | "options"> & {
    readonly cases?: readonly AddressCase[];
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
    cases: [caseOf(own.name), maskCase(`${own.name}'s mask`), ...cases],
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

/** Names the memory that the choice among prompts is checked with. */
export const PROMPT_CASE = "prompts to choose from";
/** The last rows of its prompts whose probabilities count. */
export const PROMPT_OBSERVED = 30;

/** Returns the length of a prompt in it. */
export function promptLengthOf(sequence: number): number {
  return [65, 1, 30, 9][sequence % 4]!;
}

/** A region for each sequence, with all words of its prompt. */
export const PROMPTS: AddressCase = {
  name: PROMPT_CASE,
  lay: ({ nSequences, tokensPerSequence }) => {
    let firstRow = 0;
    const table = Array.from({ length: nSequences }, (_, sequence) => {
      const length = promptLengthOf(sequence), observed = Math.max(0, length - PROMPT_OBSERVED);
      firstRow += length;
      return [
        ...[sequence * tokensPerSequence, 0, NO_BOUND, observed, firstRow - length, length],
        ...[tokensPerSequence, tokensPerSequence],
      ];
    });
    return {
      addressing: addressing(1),
      table: table.flat(),
      nSlots: nSequences * tokensPerSequence,
      slot: (sequence, position) => sequence * tokensPerSequence + position,
    };
  },
};
