/**
 * The WGSL files that say what holds K and V: one of each is joined into each kernel that
 * touches them, beside a strategy's own files, which say where a token's slot is.
 *
 * @module
 */
import bufferReadCode from "../../wgsl/lib/kv/kv_buffer_read.wgsl" with { type: "text" };
import bufferWriteCode from "../../wgsl/lib/kv/kv_buffer_write.wgsl" with { type: "text" };
import copyCode from "../../wgsl/ops/kv_copy/kv_copy.wgsl" with { type: "text" };
import gatherCode from "../../wgsl/ops/kv_gather/kv_gather.wgsl" with { type: "text" };
import gatherTexelsCode from "../../wgsl/ops/kv_gather/kv_gather_texels.wgsl" with { type: "text" };
import gatherWordsCode from "../../wgsl/ops/kv_gather/kv_gather_words.wgsl" with { type: "text" };
import scalesReadCode from "../../wgsl/lib/kv/kv_scales_read.wgsl" with { type: "text" };
import scalesWriteCode from "../../wgsl/lib/kv/kv_scales_write.wgsl" with { type: "text" };
import texelsReadCode from "../../wgsl/lib/kv/kv_texels_read.wgsl" with { type: "text" };
import texelsWriteCode from "../../wgsl/lib/kv/kv_texels_write.wgsl" with { type: "text" };
import unscaledCode from "../../wgsl/lib/kv/kv_unscaled.wgsl" with { type: "text" };
import type { WgslFile } from "../gpu/wgsl.ts";

/** Copies slots. */
export const KV_COPY: WgslFile = { name: "kv_copy.wgsl", code: copyCode };
/** Gathers blocks: the kernel, and its access to textures and to buffers. */
export const KV_GATHER = {
  all: { name: "kv_gather.wgsl", code: gatherCode },
  texels: { name: "kv_gather_texels.wgsl", code: gatherTexelsCode },
  words: { name: "kv_gather_words.wgsl", code: gatherWordsCode },
} as const satisfies Record<string, WgslFile>;
/** Buffers and textures: for each, the place of a head in it, and the access to read and to write. */
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
/** The access to scales, where there are some. */
export const KV_SCALES = {
  none: { read: UNSCALED, write: UNSCALED },
  rows: {
    read: { name: "kv_scales_read.wgsl", code: scalesReadCode },
    write: { name: "kv_scales_write.wgsl", code: scalesWriteCode },
  },
} as const satisfies Record<string, Record<string, WgslFile>>;
/** All of these files. */
export const KV_FILES: readonly WgslFile[] = [
  KV_COPY,
  ...Object.values(KV_GATHER),
  ...Object.values(KV_PLACES).flatMap((place) => Object.values(place)),
  UNSCALED,
  ...Object.values(KV_SCALES.rows),
];
