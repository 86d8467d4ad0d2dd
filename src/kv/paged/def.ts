/**
 * `paged`: PagedAttention. K and V live in fixed-size blocks of one pool; a sequence takes blocks as it grows, and a
 * block table on the GPU says where they are (Kwon et al., SOSP 2023).
 */
import { UsageError } from "../../base/errors.ts";
import { KV_CAPACITY } from "../contiguous/def.ts";
import type { AddressCase, KvOption, KvOptions, StrategyDef } from "../strategy_def.ts";
import { pagedAddressing } from "./addressing.ts";
import { PAGED_TRAITS, PagedPolicy } from "./policy.ts";

const BLOCK_SIZE: KvOption = {
  flag: "block-size",
  label: "block",
  placeholder: "tokens",
  help: "Tokens per KV block of paged and paged-gather, 1 to 256",
  values: { min: 1, max: 256 },
  default: 16,
};

/** Blocks, shared where sequences have the same tokens. */
export const PAGED_CACHE: StrategyDef = {
  name: "paged",
  line: { light: "#009E73", dark: "#2CC295", dashed: true },
  comparedIn: ["bench", "serving"],
  traits: PAGED_TRAITS,
  options: { block_size: BLOCK_SIZE, kv_capacity_tokens: KV_CAPACITY },
  policy: ({ nSequences, maxTokens, budgetTokens, swapTokens, watermark }, options) => {
    const blockSize = blockSizeOf(options);
    const { kv_capacity_tokens: capacity } = options;
    return new PagedPolicy({
      nBlocks: budgetTokens === undefined
        ? capacity === null
          ? nSequences * Math.ceil(maxTokens / blockSize)
          : Math.ceil(nSequences * Number(capacity) / blockSize)
        : Math.floor(budgetTokens / blockSize),
      blockSize,
      swapBlocks: Math.floor(swapTokens / blockSize),
      ...(watermark !== undefined && { watermark }),
    });
  },
  addressing: (need, options) => pagedAddressing(need, blockSizeOf(options)),
  // The prompt's full blocks are there once; each continuation has room for the others.
  groupTokens: ({ promptTokens, newTokens, nSequences }, options) => {
    const blockSize = blockSizeOf(options);
    const shared = nSequences > 1 ? Math.floor(promptTokens / blockSize) : 0;
    const whole = Math.ceil((promptTokens + newTokens) / blockSize);
    return (shared + nSequences * (whole - shared)) * blockSize;
  },
  cases: [16, 1, 3].map(caseOf),
};

/**
 * Returns the tokens of a block.
 *
 * @throws {UsageError} If it is not a positive integer.
 */
export function blockSizeOf({ block_size }: KvOptions): number {
  if (Number.isSafeInteger(block_size) && Number(block_size) >= 1) return Number(block_size);
  throw new UsageError(`KV block size is ${block_size} tokens: expected an integer of at least 1`);
}

/** Blocks out of order, with as many unused ones between them. */
function caseOf(blockSize: number): AddressCase {
  return {
    name: `paged by ${blockSize}`,
    lay: ({ nSequences, tokensPerSequence }) => {
      const maxBlocks = Math.ceil(tokensPerSequence / blockSize), nUsed = nSequences * maxBlocks;
      const nBlocks = 2 * nUsed;
      // A step that shares no factor with the number of blocks goes through all of them.
      let step = Math.floor(nBlocks * 0.618);
      while (step > 1 && greatestFactor(step, nBlocks) > 1) step--;
      const table = Array.from({ length: nUsed }, (_, i) => (5 + i * Math.max(1, step)) % nBlocks);
      return {
        addressing: {
          ...pagedAddressing({ nCtx: tokensPerSequence, nLayer: 1 }, blockSize),
          slotGroup: blockSize,
        },
        table,
        nSlots: nBlocks * blockSize,
        slot: (sequence, position) =>
          table[sequence * maxBlocks + Math.floor(position / blockSize)]! * blockSize + position % blockSize,
      };
    },
  };
}

function greatestFactor(a: number, b: number): number {
  return b === 0 ? a : greatestFactor(b, a % b);
}
