/**
 * The WGSL files that say where K and V live: one is joined into each kernel that touches them.
 *
 * @module
 */
import contiguousCode from "../../wgsl/kv_contiguous.wgsl" with { type: "text" };
import pagedCode from "../../wgsl/kv_paged.wgsl" with { type: "text" };
import type { WgslFile } from "../gpu/kernel.ts";

/** A region per sequence. */
export const CONTIGUOUS: WgslFile = { name: "kv_contiguous.wgsl", code: contiguousCode };
/** Blocks, found through a table. */
export const PAGED: WgslFile = { name: "kv_paged.wgsl", code: pagedCode };
/** All of them. */
export const KV_FILES: readonly WgslFile[] = [CONTIGUOUS, PAGED];
