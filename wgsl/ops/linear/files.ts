/** The WGSL files of linear products. */
import linearCode from "./linear.wgsl" with { type: "text" };
import linearWideCode from "./linear_wide.wgsl" with { type: "text" };
import linearFourCode from "./linear_four.wgsl" with { type: "text" };
import linearRowWideCode from "./linear_row_wide.wgsl" with { type: "text" };
import linearRowSplitCode from "./linear_row_split.wgsl" with { type: "text" };
import linearRowSubgroupCode from "./linear_row_subgroup.wgsl" with { type: "text" };
import linearRowsBlockCode from "./linear_rows_block.wgsl" with { type: "text" };
import linearRowsSplitCode from "./linear_rows_split.wgsl" with { type: "text" };
import linearRowsWideCode from "./linear_rows_wide.wgsl" with { type: "text" };
import linearRowsTallCode from "./linear_rows_tall.wgsl" with { type: "text" };
import linearEightCode from "./linear_eight.wgsl" with { type: "text" };
import linearEightBroadcastCode from "./linear_eight_broadcast.wgsl" with { type: "text" };
import linearRowDotCode from "./linear_row_dot.wgsl" with { type: "text" };
import linearRowsBlockDotCode from "./linear_rows_block_dot.wgsl" with { type: "text" };
import linearRowsSplitDotCode from "./linear_rows_split_dot.wgsl" with { type: "text" };
import linearEightHalvesCode from "./linear_eight_halves.wgsl" with { type: "text" };
import linearGroupCode from "./linear_group.wgsl" with { type: "text" };
import linearDotCode from "./linear_dot.wgsl" with { type: "text" };
import linearRowsDotCode from "./linear_rows_dot.wgsl" with { type: "text" };
import operandCode from "./linear_operand.wgsl" with { type: "text" };
import operandRoundedCode from "./linear_operand_rounded.wgsl" with { type: "text" };
import linearSplitCode from "./linear_split.wgsl" with { type: "text" };
import inputCode from "./linear_input.wgsl" with { type: "text" };
import inputJoinedCode from "./linear_input_joined.wgsl" with { type: "text" };
import inputNormedCode from "./linear_input_normed.wgsl" with { type: "text" };
import resultCode from "./linear_result.wgsl" with { type: "text" };
import resultBestCode from "./linear_result_best.wgsl" with { type: "text" };
import resultKvCode from "./linear_result_kv.wgsl" with { type: "text" };
import type { WgslFile } from "../../../src/gpu/wgsl.ts";

/** All of them, by their roles in a form and a plan. */
export const FILES = {
  LINEAR: { name: "linear.wgsl", code: linearCode },
  WIDE: { name: "linear_wide.wgsl", code: linearWideCode },
  FOUR: { name: "linear_four.wgsl", code: linearFourCode },
  ROW_WIDE: { name: "linear_row_wide.wgsl", code: linearRowWideCode },
  ROW_SPLIT: { name: "linear_row_split.wgsl", code: linearRowSplitCode },
  ROW_SUBGROUP: { name: "linear_row_subgroup.wgsl", code: linearRowSubgroupCode },
  SPLIT: { name: "linear_split.wgsl", code: linearSplitCode },
  ROWS_SPLIT: { name: "linear_rows_split.wgsl", code: linearRowsSplitCode },
  ROWS_BLOCK: { name: "linear_rows_block.wgsl", code: linearRowsBlockCode },
  ROW_DOT: { name: "linear_row_dot.wgsl", code: linearRowDotCode },
  ROWS_BLOCK_DOT: { name: "linear_rows_block_dot.wgsl", code: linearRowsBlockDotCode },
  ROWS_WIDE: { name: "linear_rows_wide.wgsl", code: linearRowsWideCode },
  ROWS_TALL: { name: "linear_rows_tall.wgsl", code: linearRowsTallCode },
  GROUP: { name: "linear_group.wgsl", code: linearGroupCode },
  DOT: { name: "linear_dot.wgsl", code: linearDotCode },
  ROWS_DOT: { name: "linear_rows_dot.wgsl", code: linearRowsDotCode },
  ROWS_SPLIT_DOT: { name: "linear_rows_split_dot.wgsl", code: linearRowsSplitDotCode },
  EIGHT_HALVES: { name: "linear_eight_halves.wgsl", code: linearEightHalvesCode },
  EIGHT: { name: "linear_eight.wgsl", code: linearEightCode },
  EIGHT_BROADCAST: { name: "linear_eight_broadcast.wgsl", code: linearEightBroadcastCode },
  OPERAND: { name: "linear_operand.wgsl", code: operandCode },
  OPERAND_ROUNDED: { name: "linear_operand_rounded.wgsl", code: operandRoundedCode },
  INPUT: { name: "linear_input.wgsl", code: inputCode },
  INPUT_JOINED: { name: "linear_input_joined.wgsl", code: inputJoinedCode },
  INPUT_NORMED: { name: "linear_input_normed.wgsl", code: inputNormedCode },
  RESULT: { name: "linear_result.wgsl", code: resultCode },
  RESULT_BEST: { name: "linear_result_best.wgsl", code: resultBestCode },
  RESULT_KV: { name: "linear_result_kv.wgsl", code: resultKvCode },
} as const satisfies Readonly<Record<string, WgslFile>>;
