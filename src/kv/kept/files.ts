/** The WGSL of strategies that keep some tokens of each head. */
import choiceCode from "../../../wgsl/ops/kept/kept_choice.wgsl" with { type: "text" };
import maskCode from "../../../wgsl/ops/kept/kept_mask.wgsl" with { type: "text" };
import normsCode from "../../../wgsl/ops/kept/kept_norms.wgsl" with { type: "text" };
import rowsCode from "../../../wgsl/ops/kept/kept_rows.wgsl" with { type: "text" };
import scoresCode from "../../../wgsl/ops/kept/kept_scores.wgsl" with { type: "text" };
import stepCode from "../../../wgsl/ops/kept/kept_step.wgsl" with { type: "text" };
import storeCode from "../../../wgsl/ops/kept/kept_store.wgsl" with { type: "text" };
import tableCode from "../../../wgsl/ops/kept/kept_table.wgsl" with { type: "text" };
import workCode from "../../../wgsl/ops/kept/kept_work.wgsl" with { type: "text" };
import type { WgslFile } from "../../gpu/wgsl.ts";
import placesCode from "./kept_places.wgsl" with { type: "text" };
import keptMaskCode from "./kv_kept_mask.wgsl" with { type: "text" };
import keptCode from "./kv_kept.wgsl" with { type: "text" };

/** Kernels and what they share. */
export const KEPT_FILES = {
  norms: { name: "kept_norms.wgsl", code: normsCode },
  scores: { name: "kept_scores.wgsl", code: scoresCode },
  choice: { name: "kept_choice.wgsl", code: choiceCode },
  step: { name: "kept_step.wgsl", code: stepCode },
  store: { name: "kept_store.wgsl", code: storeCode },
  mask: { name: "kept_mask.wgsl", code: maskCode },
  rows: { name: "kept_rows.wgsl", code: rowsCode },
  table: { name: "kept_table.wgsl", code: tableCode },
  work: { name: "kept_work.wgsl", code: workCode },
} as const satisfies Record<string, WgslFile>;

/** Places of sequences. */
export const KEPT_PLACES: WgslFile = { name: "kept_places.wgsl", code: placesCode };
/** Slots and entries of tokens. */
export const KV_KEPT: WgslFile = { name: "kv_kept.wgsl", code: keptCode };
/** The same where all tokens stay and some are masked. */
export const KV_KEPT_MASK: WgslFile = { name: "kv_kept_mask.wgsl", code: keptMaskCode };
