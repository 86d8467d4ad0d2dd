/**
 * A strategy from outside `src/`: dilated attention, in which a row attends to its own token and to every n-th before it.
 * It takes where K and V lie from `kv-cache`, and has the mask in WGSL of its own.
 */
import {
  type KvAddressing,
  type KvNeed,
  type KvOptions,
  type StrategyDef,
  strategyNamed,
} from "../../extend.ts";
import code from "./dilated.wgsl" with { type: "text" };

const cache = strategyNamed("kv-cache"), paged = strategyNamed("paged");
const traits = { ...cache.traits, exact: false };
const CACHED: KvOptions = { growth: "static", kv_capacity_tokens: null };
const PAGED: KvOptions = { block_size: 16, kv_capacity_tokens: null };

/** Returns another strategy's addressing with the mask of this one. */
function masked({ files: [, places], ...others }: KvAddressing, dilation: number): KvAddressing {
  return {
    ...others,
    files: [{ name: "dilated.wgsl", code }, places!],
    overrides: { ...others.overrides, DILATION: dilation },
  };
}

/** The strategy. */
export const TOY_DILATED: StrategyDef = {
  name: "toy-dilated",
  line: { light: "#795548", dark: "#BCAAA4" },
  comparedIn: ["bench"],
  traits,
  options: {
    dilation: {
      flag: "dilation",
      label: "dilation",
      placeholder: "tokens",
      help: "Tokens from one that is attended to to the next",
      values: { min: 1, max: 64 },
      default: 2,
    },
  },
  policy: (need) => cache.policy(need, CACHED),
  addressing: (need, { dilation }) => masked(cache.addressing(need, CACHED), Number(dilation)),
  reference: (need, { dilation }) => ({
    strategy: { name: "the same mask over blocks", traits },
    policy: paged.policy(need, PAGED),
    addressing: masked(paged.addressing(need, PAGED), Number(dilation)),
  }),
  cases: [{
    name: "toy dilated",
    lay: ({ nSequences, tokensPerSequence }) => {
      const sizes = { nSequences, nLayer: 1, nCtx: tokensPerSequence, maxTokens: tokensPerSequence };
      const need: KvNeed = {
        ...sizes,
        ...{ maxRows: 1, budgetTokens: undefined, swapTokens: 0, watermark: 0 },
      };
      return {
        addressing: masked(cache.addressing(need, CACHED), 3),
        table: [tokensPerSequence],
        nSlots: nSequences * tokensPerSequence,
        slot: (sequence, position) => sequence * tokensPerSequence + position,
        isVisible: (row, position) => position <= row && (row - position) % 3 === 0,
      };
    },
  }],
};
