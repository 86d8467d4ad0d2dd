/** Addresses in blocks: a block table names each sequence's blocks in order. */
import pagedCode from "./kv_paged.wgsl" with { type: "text" };
import type { WgslFile } from "../../gpu/wgsl.ts";
import { KV_ALL } from "../keep_all.ts";
import { slotGroupOf } from "../slot_group.ts";
import type { KvAddressing } from "../strategy_def.ts";

const PAGED: WgslFile = { name: "kv_paged.wgsl", code: pagedCode };

/** Returns the addressing of tables that have room for `nCtx` tokens of each sequence. */
export function pagedAddressing(
  { nCtx, nLayer }: { readonly nCtx: number; readonly nLayer: number },
  blockSize: number,
): KvAddressing {
  const width = Math.ceil(nCtx / blockSize);
  return {
    files: [KV_ALL, PAGED],
    table: { width },
    slotGroup: slotGroupOf(blockSize),
    layersKept: nLayer,
    overrides: { BLOCK_SIZE: blockSize, MAX_BLOCKS: width },
  };
}
