/**
 * `paged-gather`: blocks as `paged` has them, which are copied together before each layer's attention, so that attention
 * reads one contiguous region per sequence. Beside `paged`, it shows what a kernel that goes through a block table saves.
 */
import { CONTIGUOUS } from "../contiguous/addressing.ts";
import { KV_ALL } from "../keep_all.ts";
import { blockSizeOf, PAGED_CACHE } from "../paged/def.ts";
import type { KvNeed, KvOptions, StrategyDef } from "../strategy_def.ts";
import { gathering } from "./gather.ts";

/** Blocks, gathered before attention. */
export const PAGED_GATHER: StrategyDef = {
  ...PAGED_CACHE,
  name: "paged-gather",
  line: { light: "#4D7C0F", dark: "#A3D65C", dashed: true },
  comparedIn: [],
  addressing: (need, options) => ({
    ...PAGED_CACHE.addressing(need, options),
    read: { files: [KV_ALL, CONTIGUOUS], table: "uniform" },
  }),
  around: (need, options) => gathering(sizesOf(need, options)),
  cases: [], // those of `paged`
};

function sizesOf({ maxTokens, nCtx }: KvNeed, options: KvOptions) {
  const blockSize = blockSizeOf(options);
  const blocksFor = (tokens: number) => Math.ceil(tokens / blockSize);
  return { blockSize, maxBlocks: blocksFor(nCtx), regionBlocks: blocksFor(maxTokens) };
}
