/**
 * The WGSL files that say what holds K and V and how they are stored: some of each kind are joined into each kernel that
 * touches them, beside a strategy's own files, which say where a token's slot is.
 */
import apartCode from "../../wgsl/lib/kv/kv_apart.wgsl" with { type: "text" };
import bufferReadCode from "../../wgsl/lib/kv/kv_buffer_read.wgsl" with { type: "text" };
import bufferWriteCode from "../../wgsl/lib/kv/kv_buffer_write.wgsl" with { type: "text" };
import oneWordCode from "../../wgsl/lib/kv/kv_element_1.wgsl" with { type: "text" };
import twoWordsCode from "../../wgsl/lib/kv/kv_element_2.wgsl" with { type: "text" };
import fourWordsCode from "../../wgsl/lib/kv/kv_element_4.wgsl" with { type: "text" };
import sameCode from "../../wgsl/lib/kv/kv_same.wgsl" with { type: "text" };
import gatherCode from "../../wgsl/ops/kv_gather/kv_gather.wgsl" with { type: "text" };
import gatherTexelsCode from "../../wgsl/ops/kv_gather/kv_gather_texels.wgsl" with { type: "text" };
import gatherWordsCode from "../../wgsl/ops/kv_gather/kv_gather_words.wgsl" with { type: "text" };
import scalesReadCode from "../../wgsl/lib/kv/kv_scales_read.wgsl" with { type: "text" };
import scalesWriteCode from "../../wgsl/lib/kv/kv_scales_write.wgsl" with { type: "text" };
import texelsReadCode from "../../wgsl/lib/kv/kv_texels_read.wgsl" with { type: "text" };
import texelsWriteCode from "../../wgsl/lib/kv/kv_texels_write.wgsl" with { type: "text" };
import unscaledCode from "../../wgsl/lib/kv/kv_unscaled.wgsl" with { type: "text" };
import copyCode from "../../wgsl/ops/kv_copy/kv_copy.wgsl" with { type: "text" };
import { type KvDtype, kvStorages } from "../formats/kv_dtype.ts";
import { renamed, type WgslFile } from "../gpu/wgsl.ts";

/** Copies slots. */
export const KV_COPY: WgslFile = { name: "kv_copy.wgsl", code: copyCode };
/** Gathers blocks: the kernel, and its access to textures and to buffers. */
export const KV_GATHER = {
  all: { name: "kv_gather.wgsl", code: gatherCode },
  texels: { name: "kv_gather_texels.wgsl", code: gatherTexelsCode },
  words: { name: "kv_gather_words.wgsl", code: gatherWordsCode },
} as const satisfies Record<string, WgslFile>;
/** Buffers and textures: for each, the place of a head in it, and the access to read and to write. */
const PLACES = {
  buffer: {
    read: { name: "kv_buffer_read.wgsl", code: bufferReadCode },
    write: { name: "kv_buffer_write.wgsl", code: bufferWriteCode },
  },
  texels: {
    read: { name: "kv_texels_read.wgsl", code: texelsReadCode },
    write: { name: "kv_texels_write.wgsl", code: texelsWriteCode },
  },
} as const satisfies Record<string, Record<string, WgslFile>>;
/** By its words, what a buffer consists of. */
const ELEMENTS = {
  1: { name: "kv_element_1.wgsl", code: oneWordCode },
  2: { name: "kv_element_2.wgsl", code: twoWordsCode },
  4: { name: "kv_element_4.wgsl", code: fourWordsCode },
} as const satisfies Record<number, WgslFile>;
const SAME: WgslFile = { name: "kv_same.wgsl", code: sameCode };
const APART: WgslFile = { name: "kv_apart.wgsl", code: apartCode };
const UNSCALED: WgslFile = { name: "kv_unscaled.wgsl", code: unscaledCode };
/** The access to scales, where there are some. */
const SCALES = {
  read: { name: "kv_scales_read.wgsl", code: scalesReadCode },
  write: { name: "kv_scales_write.wgsl", code: scalesWriteCode },
} as const satisfies Record<string, WgslFile>;
/** All of these files. */
export const KV_FILES: readonly WgslFile[] = [
  KV_COPY,
  ...Object.values(PLACES).flatMap((place) => Object.values(place)),
  ...Object.values(ELEMENTS),
  SAME,
  APART,
  ...Object.values(KV_GATHER),
  UNSCALED,
  ...Object.values(SCALES),
];

/** Lists the files for one side. */
export function storageFiles(dtype: KvDtype, place: keyof typeof PLACES, side: "read" | "write"): WgslFile[] {
  const [k, v] = kvStorages(dtype), isSame = k.wgsl === v.wgsl;
  return [
    ...isSame ? [k.wgsl, SAME] : [renamed(k.wgsl, "kv", "k"), renamed(v.wgsl, "kv", "v"), APART],
    ...place === "buffer" ? [ELEMENTS[isSame ? k.words : 1]] : [],
    PLACES[place][side],
    k.scaleBytes + v.scaleBytes > 0 ? SCALES[side] : UNSCALED,
  ];
}
