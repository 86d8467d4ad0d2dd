/**
 * The WGSL files that say what holds K and V and how they are stored: one of each is joined into each kernel that
 * touches them, after a strategy's own files, which say where a token's slot is.
 *
 * @module
 */
import bufferCode from "../../wgsl/kv_buffer.wgsl" with { type: "text" };
import bufferReadCode from "../../wgsl/kv_buffer_read.wgsl" with { type: "text" };
import bufferWriteCode from "../../wgsl/kv_buffer_write.wgsl" with { type: "text" };
import copyCode from "../../wgsl/kv_copy.wgsl" with { type: "text" };
import f16Code from "../../wgsl/kv_f16.wgsl" with { type: "text" };
import f32Code from "../../wgsl/kv_f32.wgsl" with { type: "text" };
import groupsCode from "../../wgsl/kv_groups.wgsl" with { type: "text" };
import int8Code from "../../wgsl/kv_int8.wgsl" with { type: "text" };
import scalesReadCode from "../../wgsl/kv_scales_read.wgsl" with { type: "text" };
import scalesWriteCode from "../../wgsl/kv_scales_write.wgsl" with { type: "text" };
import texelsCode from "../../wgsl/kv_texels.wgsl" with { type: "text" };
import texelsReadCode from "../../wgsl/kv_texels_read.wgsl" with { type: "text" };
import texelsWriteCode from "../../wgsl/kv_texels_write.wgsl" with { type: "text" };
import unscaledCode from "../../wgsl/kv_unscaled.wgsl" with { type: "text" };
import type { Dtype } from "../gpu/dtype.ts";
import type { WgslFile } from "../gpu/wgsl.ts";

/** Copies slots. */
export const KV_COPY: WgslFile = { name: "kv_copy.wgsl", code: copyCode };
/** In which order the slots of a layer lie. */
export const KV_GROUPS: WgslFile = { name: "kv_groups.wgsl", code: groupsCode };
/** Storage type of K and V. */
export const KV_FORMATS: Readonly<Record<Dtype, WgslFile>> = {
  f32: { name: "kv_f32.wgsl", code: f32Code },
  f16: { name: "kv_f16.wgsl", code: f16Code },
  int8: { name: "kv_int8.wgsl", code: int8Code },
};
/** Buffers and textures: for each, the place of a head in it, and the access to read and to write. */
export const KV_PLACES = {
  buffer: {
    where: { name: "kv_buffer.wgsl", code: bufferCode },
    read: { name: "kv_buffer_read.wgsl", code: bufferReadCode },
    write: { name: "kv_buffer_write.wgsl", code: bufferWriteCode },
  },
  texels: {
    where: { name: "kv_texels.wgsl", code: texelsCode },
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
  KV_GROUPS,
  ...Object.values(KV_FORMATS),
  ...Object.values(KV_PLACES).flatMap((place) => Object.values(place)),
  UNSCALED,
  ...Object.values(KV_SCALES.rows),
];
