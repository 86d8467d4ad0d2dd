/** Addresses in regions of one size: the sequence's number times the size. */
import contiguousCode from "./kv_contiguous.wgsl" with { type: "text" };
import type { WgslFile } from "../../gpu/wgsl.ts";
import { KV_ALL } from "../keep_all.ts";
import { SLOT_GROUP } from "../slot_group.ts";
import type { KvAddressing } from "../strategy_def.ts";

/** A region per sequence. */
export const CONTIGUOUS: WgslFile = { name: "kv_contiguous.wgsl", code: contiguousCode };

/** Returns the addressing of regions that have all their slots from the beginning. */
export function contiguousAddressing(slotsPerSequence: number, layersKept: number): KvAddressing {
  return { files: [KV_ALL, CONTIGUOUS], table: { slotsPerSequence }, slotGroup: SLOT_GROUP, layersKept };
}
