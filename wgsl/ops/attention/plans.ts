/**
 * The attention kernels: of single rows, whole or in splits that are joined afterwards, and of tiles of rows.
 */
import type { WgslFile } from "../../../src/gpu/wgsl.ts";
import type { KvSource } from "../../../src/kv/source.ts";
import { TILE_ROWS } from "../../../src/model/batch.ts";
import { type Dims, dimsOf } from "../../../src/model/dims.ts";
import { inputFile, outputFile } from "../../../src/model/io.ts";
import type { KernelContext, KernelPlan, Uses } from "../../../src/model/plan.ts";
import { splitsOf, type Tuning } from "../../../src/model/tuning.ts";
import { contextWalk, headWalk, sharedWalk } from "./walks.ts";
import combineCode from "./attention_combine.wgsl" with { type: "text" };
import decodeCode from "./attention_decode.wgsl" with { type: "text" };
import alongCode from "./attention_decode_along.wgsl" with { type: "text" };
import memoryCode from "./attention_lanes_memory.wgsl" with { type: "text" };
import shuffleCode from "./attention_lanes_shuffle.wgsl" with { type: "text" };
import prefillCode from "./attention_prefill.wgsl" with { type: "text" };
import sharedCode from "./attention_prefill_shared.wgsl" with { type: "text" };
import splitCode from "./attention_split.wgsl" with { type: "text" };
import wholeCode from "./attention_whole.wgsl" with { type: "text" };

/** Attends single rows. */
export const DECODE_FILE: WgslFile = { name: "attention_decode.wgsl", code: decodeCode };
/** Hands on between lanes of {@linkcode DECODE_FILE}: in workgroup memory. */
export const MEMORY_FILE: WgslFile = { name: "attention_lanes_memory.wgsl", code: memoryCode };
/** Hands on between lanes of {@linkcode DECODE_FILE}: by shuffles. */
export const SHUFFLE_FILE: WgslFile = { name: "attention_lanes_shuffle.wgsl", code: shuffleCode };
/** Attends single rows, with lanes along the head. */
export const ALONG_FILE: WgslFile = { name: "attention_decode_along.wgsl", code: alongCode };
/** Attends tiles of rows. */
export const PREFILL_FILE: WgslFile = { name: "attention_prefill.wgsl", code: prefillCode };
/** Attends tiles of rows, with K and V in workgroup memory. */
export const SHARED_FILE: WgslFile = { name: "attention_prefill_shared.wgsl", code: sharedCode };
/** Joins splits. */
export const COMBINE_FILE: WgslFile = { name: "attention_combine.wgsl", code: combineCode };
/** Stores the sums of a split. */
export const SPLIT_FILE: WgslFile = { name: "attention_split.wgsl", code: splitCode };
/** Stores the output of a whole context. */
export const WHOLE_FILE: WgslFile = { name: "attention_whole.wgsl", code: wholeCode };

/** Uses of the bindings of attention over whole contexts. */
export const ATTENTION_USES = { x: "operand", y: "result" } as const satisfies Uses;
/** Uses of the bindings of decode attention in splits. */
export const SPLIT_USES = { x: "operand", partial: "readWrite" } as const satisfies Uses;
/** Uses of the bindings of the join of splits. */
export const COMBINE_USES = { partial: "read", y: "result" } as const satisfies Uses;

/** Says what a decode attention binds. */
export function decodeUses({ splitTokens }: Pick<Tuning, "splitTokens">): Uses {
  return splitTokens === 0 ? ATTENTION_USES : SPLIT_USES;
}

/** Returns the kernel that attends single rows. */
export function decodeFile({ decodeAlong }: Tuning): WgslFile {
  return decodeAlong ? ALONG_FILE : DECODE_FILE;
}

/** Up to so many lanes of an attention workgroup, each scores eight positions at a time rather than four. */
const FEW_LANES = 16;

/** Overrides of the kernels that read K and V. */
function headOverrides({ config }: KernelContext, kv: KvSource): Record<string, number> {
  const { headDim4 } = dimsOf(config);
  return {
    ...kv.overrides.read,
    N_HEAD: config.nHead,
    HEAD_DIM4: headDim4,
    SCALE: 1 / Math.sqrt(config.headDim),
  };
}

/** Counts lanes that go along the context: `least` at least, and half of a head's vectors, of which each serves two at most. */
function contextLanes({ config }: KernelContext, least: number): number {
  return Math.max(least, 2 ** (Math.ceil(Math.log2(dimsOf(config).headDim4)) - 1));
}

/** Entries of a lane in `attention_decode.wgsl` and between lanes, and lanes of a workgroup that can shuffle. */
const DECODE = { own: 8, apart: 1, shuffling: 8 } as const;

/** Lanes of decode attention along the context, and the file by which they hand on. */
function decodeLanes(context: KernelContext) {
  const { decodeLanes, decodeShuffles } = context.tuning;
  const lanes = contextLanes(context, decodeLanes), { shuffling, ...way } = DECODE;
  const subgroups = decodeShuffles && lanes === shuffling;
  const file = subgroups ? SHUFFLE_FILE : MEMORY_FILE;
  return { lanes, ...way, overrides: { LANES: lanes }, files: [DECODE_FILE, file], subgroups };
}

/** Lanes of prefill attention, and a lane's entries. */
function prefillLanes(context: KernelContext) {
  const { headDim4 } = dimsOf(context.config), lanes = contextLanes(context, context.tuning.prefillLanes);
  const own = lanes <= FEW_LANES ? 8 : 4;
  const way = { lanes, own, apart: own };
  return { ...way, overrides: { LANES: lanes, WIDE: Number(lanes < headDim4), DEEP: Number(own === 8) } };
}

/** Entries of which a lane reads a vector at once, at most, where lanes go along the head. */
const ENTRIES_AT_ONCE = 16;

/** Lanes, and a lane's entries at once, where they go along the head; see `attention_decode_along.wgsl`. */
function headLanes({ config, tuning }: KernelContext) {
  const { headDim4 } = dimsOf(config), along = Math.max(4, 2 ** Math.ceil(Math.log2(headDim4)));
  const lanes = Math.max(tuning.decodeLanes, along), atOnce = Math.min(along, ENTRIES_AT_ONCE);
  return {
    ...{ lanes, along, atOnce },
    overrides: { LANES: lanes, HEAD_LANES: along, CHUNK: lanes / along * atOnce },
  };
}

function splitOverrides({ config, tuning }: KernelContext): Record<string, number> {
  if (tuning.splitTokens === 0) return { SPLIT_TOKENS: config.nCtx };
  return { SPLIT_TOKENS: tuning.splitTokens, MAX_SPLITS: splitsOf(config.nCtx, tuning) };
}

/** Plans attention of single rows. */
export function decodePlan(context: KernelContext, kv: KvSource): KernelPlan {
  const { layouts, config, tuning } = context, { headDim4 } = dimsOf(config);
  const made = tuning.splitTokens === 0 ? [outputFile(tuning), WHOLE_FILE] : [SPLIT_FILE];
  const way = { headDim4, entries: tuning.splitTokens || config.nCtx };
  const form = () => {
    if (tuning.decodeAlong) {
      const { overrides, ...lanes } = headLanes(context);
      return { overrides, files: [ALONG_FILE], subgroups: false, walk: headWalk(kv, { ...way, ...lanes }) };
    }
    const { overrides, files, subgroups, ...lanes } = decodeLanes(context);
    return { overrides, files, subgroups, walk: contextWalk(kv, { ...way, ...lanes }) };
  };
  const { overrides, files, subgroups, walk } = form();
  return {
    spec: {
      label: "attention decode",
      files: [...files, ...kv.files.read, inputFile(tuning), ...made],
      subgroups,
      groups: [layouts.step, layouts.of(decodeUses(tuning)), kv.layouts.read],
      overrides: { ...headOverrides(context, kv), ...overrides, ...splitOverrides(context) },
    },
    grid: ({ decodeContext, nDecodeTiles }) => [splitsOf(decodeContext, tuning), config.nHead, nDecodeTiles],
    walk,
  };
}

/** Sizes of `attention_prefill_shared.wgsl`: lanes, tiles of a workgroup, and vectors of the widest head. */
const SHARED = { lanes: 256, tiles: 4, headDim4: 16 } as const;

/** Returns the kernel that attends tiles of rows. */
export function prefillFile({ prefillShared }: Tuning, { headDim4 }: Pick<Dims, "headDim4">): WgslFile {
  return prefillShared && headDim4 <= SHARED.headDim4 ? SHARED_FILE : PREFILL_FILE;
}

/** Plans attention of tiles of rows. */
export function prefillPlan(context: KernelContext, kv: KvSource): KernelPlan {
  const { layouts, config, tuning } = context, dims = dimsOf(config);
  const file = prefillFile(tuning, dims), way = { ...dims, entries: config.nCtx };
  const form = () => {
    if (file === SHARED_FILE) {
      const { lanes, tiles, headDim4: along } = SHARED;
      return {
        tiles,
        overrides: {},
        walk: sharedWalk(kv, { ...way, lanes, along, rows: tiles * TILE_ROWS }),
      };
    }
    const { overrides, ...lanes } = prefillLanes(context);
    return { tiles: 1, overrides, walk: contextWalk(kv, { ...way, ...lanes }) };
  };
  const { tiles, overrides, walk } = form();
  return {
    spec: {
      label: "attention prefill",
      files: [file, ...kv.files.read, inputFile(tuning), outputFile(tuning)],
      groups: [layouts.step, layouts.of(ATTENTION_USES), kv.layouts.read],
      overrides: { ...headOverrides(context, kv), ...overrides },
    },
    grid: ({ nPrefillTiles }) => [Math.ceil(nPrefillTiles / tiles), config.nHead],
    walk,
  };
}

/** Plans what joins the splits of a decode attention. */
export function combinePlan(context: KernelContext): KernelPlan {
  const { layouts, config, tuning } = context, { a4, headDim4 } = dimsOf(config);
  return {
    spec: {
      label: "attention combine",
      files: [COMBINE_FILE, outputFile(tuning)],
      groups: [layouts.step, layouts.of(COMBINE_USES)],
      overrides: {
        N_HEAD: config.nHead,
        HEAD_DIM4: headDim4,
        MAX_SPLITS: splitsOf(config.nCtx, tuning),
        LANES: tuning.flatLanes,
      },
    },
    grid: ({ nDecodeTiles }) => [Math.ceil(nDecodeTiles * a4 / tuning.flatLanes)],
  };
}
