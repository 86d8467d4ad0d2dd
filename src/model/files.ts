/**
 * The WGSL files of a model, apart from those that the KV strategies bring.
 *
 * @module
 */
import embeddingCode from "../../wgsl/ops/embedding/embedding.wgsl" with { type: "text" };
import argmaxCode from "../../wgsl/ops/argmax/argmax.wgsl" with { type: "text" };
import attentionCombineCode from "../../wgsl/ops/attention/attention_combine.wgsl" with { type: "text" };
import attentionDecodeCode from "../../wgsl/ops/attention/attention_decode.wgsl" with { type: "text" };
import attentionSplitCode from "../../wgsl/ops/attention/attention_split.wgsl" with { type: "text" };
import attentionWholeCode from "../../wgsl/ops/attention/attention_whole.wgsl" with { type: "text" };
import attentionPrefillCode from "../../wgsl/ops/attention/attention_prefill.wgsl" with { type: "text" };
import kvWriteCode from "../../wgsl/ops/kv_write/kv_write.wgsl" with { type: "text" };
import layerNormCode from "../../wgsl/ops/layer_norm/layer_norm.wgsl" with { type: "text" };
import linearCode from "../../wgsl/ops/linear/linear.wgsl" with { type: "text" };
import linearWideCode from "../../wgsl/ops/linear/linear_wide.wgsl" with { type: "text" };
import linearRowsTallCode from "../../wgsl/ops/linear/linear_rows_tall.wgsl" with { type: "text" };
import linearRowCode from "../../wgsl/ops/linear/linear_row.wgsl" with { type: "text" };
import linearRowSubgroupCode from "../../wgsl/ops/linear/linear_row_subgroup.wgsl" with { type: "text" };
import linearRowWideCode from "../../wgsl/ops/linear/linear_row_wide.wgsl" with { type: "text" };
import linearRowSplitCode from "../../wgsl/ops/linear/linear_row_split.wgsl" with { type: "text" };
import linearRowsWideCode from "../../wgsl/ops/linear/linear_rows_wide.wgsl" with { type: "text" };
import linearRowsCode from "../../wgsl/ops/linear/linear_rows.wgsl" with { type: "text" };
import weightBufferCode from "../../wgsl/lib/weights/weight_buffer.wgsl" with { type: "text" };
import weightTexelsCode from "../../wgsl/lib/weights/weight_texels.wgsl" with { type: "text" };
import xBufferCode from "../../wgsl/lib/io/x_buffer.wgsl" with { type: "text" };
import xTexelsCode from "../../wgsl/lib/io/x_texels.wgsl" with { type: "text" };
import yAddedCode from "../../wgsl/lib/io/y_added.wgsl" with { type: "text" };
import yBufferCode from "../../wgsl/lib/io/y_buffer.wgsl" with { type: "text" };
import yTexelsCode from "../../wgsl/lib/io/y_texels.wgsl" with { type: "text" };
import sampleCode from "../../wgsl/ops/sample/sample.wgsl" with { type: "text" };
import { type Dtype, weightStorage } from "../formats/registry.ts";
import type { WgslFile } from "../gpu/wgsl.ts";
import { SUBGROUPS } from "../gpu/subgroups.ts";

/** Every WGSL file that a forward pass uses, apart from the KV strategies' own. */
export const FILES = {
  subgroups: SUBGROUPS,
  weightBuffer: { name: "weight_buffer.wgsl", code: weightBufferCode },
  weightTexels: { name: "weight_texels.wgsl", code: weightTexelsCode },
  xBuffer: { name: "x_buffer.wgsl", code: xBufferCode },
  xTexels: { name: "x_texels.wgsl", code: xTexelsCode },
  yBuffer: { name: "y_buffer.wgsl", code: yBufferCode },
  yAdded: { name: "y_added.wgsl", code: yAddedCode },
  yTexels: { name: "y_texels.wgsl", code: yTexelsCode },
  embedding: { name: "embedding.wgsl", code: embeddingCode },
  layerNorm: { name: "layer_norm.wgsl", code: layerNormCode },
  linear: { name: "linear.wgsl", code: linearCode },
  linearWide: { name: "linear_wide.wgsl", code: linearWideCode },
  linearRow: { name: "linear_row.wgsl", code: linearRowCode },
  linearRowWide: { name: "linear_row_wide.wgsl", code: linearRowWideCode },
  linearRowSplit: { name: "linear_row_split.wgsl", code: linearRowSplitCode },
  linearRowSubgroup: { name: "linear_row_subgroup.wgsl", code: linearRowSubgroupCode },
  linearRowsWide: { name: "linear_rows_wide.wgsl", code: linearRowsWideCode },
  linearRowsTall: { name: "linear_rows_tall.wgsl", code: linearRowsTallCode },
  linearRows: { name: "linear_rows.wgsl", code: linearRowsCode },
  kvWrite: { name: "kv_write.wgsl", code: kvWriteCode },
  attentionDecode: { name: "attention_decode.wgsl", code: attentionDecodeCode },
  attentionSplit: { name: "attention_split.wgsl", code: attentionSplitCode },
  attentionWhole: { name: "attention_whole.wgsl", code: attentionWholeCode },
  attentionCombine: { name: "attention_combine.wgsl", code: attentionCombineCode },
  attentionPrefill: { name: "attention_prefill.wgsl", code: attentionPrefillCode },
  argmax: { name: "argmax.wgsl", code: argmaxCode },
  sample: { name: "sample.wgsl", code: sampleCode },
} as const satisfies Record<string, WgslFile>;

/** Where a kernel's matrix, what it multiplies that by, and its result lie; what is not named it has not. */
export interface Places {
  /** The storage type of the weights, and whether they are texels. */
  readonly weight?: { readonly dtype: Dtype; readonly texels: boolean };
  /** Whether x is in texels. */
  readonly x?: { readonly texels: boolean };
  /** Whether y goes into texels or is added to what is there. */
  readonly y?: { readonly texels: boolean; readonly added?: boolean };
}

/**
 * What is joined before a kernel so that it finds its operands.
 *
 * @throws {Error} If a result is to be added to texels, which a kernel can't both read and write.
 */
export function placeFiles({ weight, x, y }: Places): WgslFile[] {
  if (y?.texels && y.added) throw new Error("Nothing can be added to texels");
  return [
    ...weight
      ? [weight.texels ? FILES.weightTexels : FILES.weightBuffer, weightStorage(weight.dtype).wgsl]
      : [],
    ...x ? [x.texels ? FILES.xTexels : FILES.xBuffer] : [],
    ...y ? [y.texels ? FILES.yTexels : y.added ? FILES.yAdded : FILES.yBuffer] : [],
  ];
}
