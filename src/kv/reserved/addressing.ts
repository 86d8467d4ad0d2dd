/** Addresses in regions that begin anywhere in an arena: a table names each sequence's first slot. */
import arenaCode from "./kv_arena.wgsl" with { type: "text" };
import type { WgslFile } from "../../gpu/wgsl.ts";
import { KV_ALL } from "../keep_all.ts";
import { SLOT_GROUP } from "../slot_group.ts";
import type { KvAddressing } from "../strategy_def.ts";

/** A region per sequence that begins anywhere. */
const ARENA: WgslFile = { name: "kv_arena.wgsl", code: arenaCode };

/** Returns the addressing of an arena. */
export function reservedAddressing(layersKept: number): KvAddressing {
  return { files: [KV_ALL, ARENA], table: { width: 1 }, slotGroup: SLOT_GROUP, layersKept };
}
