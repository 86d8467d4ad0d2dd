/**
 * The WGSL files that say where K and V live: one of each is joined into each kernel that touches them.
 *
 * @module
 */
import arenaCode from "../../wgsl/lib/kv/kv_arena.wgsl" with { type: "text" };
import bufferReadCode from "../../wgsl/lib/kv/kv_buffer_read.wgsl" with { type: "text" };
import bufferWriteCode from "../../wgsl/lib/kv/kv_buffer_write.wgsl" with { type: "text" };
import contiguousCode from "../../wgsl/lib/kv/kv_contiguous.wgsl" with { type: "text" };
import copyCode from "../../wgsl/ops/kv_copy/kv_copy.wgsl" with { type: "text" };
import pagedCode from "../../wgsl/lib/kv/kv_paged.wgsl" with { type: "text" };
import scalesReadCode from "../../wgsl/lib/kv/kv_scales_read.wgsl" with { type: "text" };
import scalesWriteCode from "../../wgsl/lib/kv/kv_scales_write.wgsl" with { type: "text" };
import texelsReadCode from "../../wgsl/lib/kv/kv_texels_read.wgsl" with { type: "text" };
import texelsWriteCode from "../../wgsl/lib/kv/kv_texels_write.wgsl" with { type: "text" };
import unscaledCode from "../../wgsl/lib/kv/kv_unscaled.wgsl" with { type: "text" };
import type { WgslFile } from "../gpu/wgsl.ts";

/** A region per sequence. */
export const CONTIGUOUS: WgslFile = { name: "kv_contiguous.wgsl", code: contiguousCode };
/** A region per sequence that begins anywhere. */
export const ARENA: WgslFile = { name: "kv_arena.wgsl", code: arenaCode };
/** Blocks, found through a table. */
export const PAGED: WgslFile = { name: "kv_paged.wgsl", code: pagedCode };
/** Copies slots. */
export const KV_COPY: WgslFile = { name: "kv_copy.wgsl", code: copyCode };
/** What holds them: for each, how it is read and written. */
export const KV_PLACES = {
  buffer: {
    read: { name: "kv_buffer_read.wgsl", code: bufferReadCode },
    write: { name: "kv_buffer_write.wgsl", code: bufferWriteCode },
  },
  texels: {
    read: { name: "kv_texels_read.wgsl", code: texelsReadCode },
    write: { name: "kv_texels_write.wgsl", code: texelsWriteCode },
  },
} as const satisfies Record<string, Record<string, WgslFile>>;
const UNSCALED: WgslFile = { name: "kv_unscaled.wgsl", code: unscaledCode };
/** How their scales are read and written. */
export const KV_SCALES = {
  none: { read: UNSCALED, write: UNSCALED },
  rows: {
    read: { name: "kv_scales_read.wgsl", code: scalesReadCode },
    write: { name: "kv_scales_write.wgsl", code: scalesWriteCode },
  },
} as const satisfies Record<string, Record<string, WgslFile>>;
/** All of them. */
export const KV_FILES: readonly WgslFile[] = [
  CONTIGUOUS,
  ARENA,
  PAGED,
  KV_COPY,
  ...Object.values(KV_PLACES).flatMap((place) => Object.values(place)),
  UNSCALED,
  ...Object.values(KV_SCALES.rows),
];
