/**
 * Sizes of the workgroups of products on hardware GPUs: enough of them to keep a GPU busy, and enough loads of a lane
 * under way to hide the memory's latency.
 */
import { DEFAULT_DTYPE, type Dtype } from "../../../src/formats/registry.ts";
import { tileVectors } from "../../../src/model/pack.ts";
import type { Tuning } from "../../../src/model/tuning.ts";

/** The width of a product, and how its weights are stored. */
export interface LinearShape {
  /** Input width in vectors of four. */
  readonly k4: number;
  /** Output width in vectors of four. */
  readonly n4: number;
  /** Storage type of the weights. Default: float32. */
  readonly dtype?: Dtype;
}

/** The size of a workgroup, and what of it the kernel is told. */
export interface LinearSize {
  /** Lanes that make different outputs, with `tilesPerLane` output tiles each. */
  readonly lanes: number;
  /** Lanes that split the sum over k. Default: one does it alone. */
  readonly kSplit?: number;
  /** Tiles of one output tile that a lane reads at once. Default: one. */
  readonly atOnce?: number;
  /** True if a lane reads those of two output tiles at once. Default: of one. */
  readonly paired?: boolean;
}

/** Output tiles of a workgroup at least: with two inputs of each, eight lanes read 128 bytes that lie together. */
const LEAST_TILES = 4;
/** Workgroups that a product should have, before a workgroup makes more outputs. */
const MANY_WORKGROUPS = 96;
/** Vectors of weights that a lane should have under way. */
const VECTORS_AT_ONCE = 12;
/** Lanes of a workgroup at least: those of the widest waves. */
const LEAST_LANES = 64;
/** Lanes of a workgroup of the GEMM of few rows: its sums take half of the memory that every device has. */
const FEW_ROWS_LANES = 128;
/** Lanes that a subgroup has on many GPUs. */
export const SUBGROUP_LANES = 32;

/** Tiles at once that give {@linkcode VECTORS_AT_ONCE}; see `linear_split.wgsl`. */
function tilesAtOnce({ dtype = DEFAULT_DTYPE }: LinearShape): number {
  const vectors = tileVectors(dtype);
  return [3, 6].find((tiles) => tiles * vectors >= VECTORS_AT_ONCE) ?? 12;
}

/** Lanes for a sum over `most` tiles, a power of two. */
function powerOfTwo(most: number): number {
  return 2 ** Math.ceil(Math.log2(most));
}

/** Sizes a GEMV: as many lanes as leave each its vectors at once, but no more than the tuning says. */
export function splitSize({ linearLanes, kSplit: most }: Tuning, shape: LinearShape): LinearSize {
  const { k4, n4 } = shape, atOnce = tilesAtOnce(shape);
  let lanes = linearLanes;
  while (lanes > LEAST_TILES && n4 / lanes < MANY_WORKGROUPS) lanes /= 2;
  const wanted = Math.max(LEAST_LANES / lanes, powerOfTwo(k4 / atOnce));
  return { lanes, kSplit: Math.min(wanted, most * linearLanes / lanes), atOnce };
}

/** Sizes a GEMV by subgroups, whose lanes nobody knows before: a subgroup with too few tiles of an output takes two. */
export function subgroupSize({ kSplit }: Tuning, shape: LinearShape): LinearSize {
  const enough = tilesAtOnce(shape), atOnce = Math.min(shape.k4 <= 6 * SUBGROUP_LANES ? 6 : 12, enough);
  const paired = atOnce < enough;
  return { lanes: LEAST_TILES, kSplit: paired ? kSplit / 2 : kSplit, atOnce, paired };
}

/** Sizes a GEMM of few rows, which are loads as well. */
export function fewRowsSize(shape: LinearShape): LinearSize {
  const wanted = Math.max(LEAST_LANES, powerOfTwo(LEAST_TILES * shape.k4));
  const kSplit = Math.min(FEW_ROWS_LANES, wanted) / LEAST_TILES;
  return { lanes: LEAST_TILES, kSplit, atOnce: tilesAtOnce(shape) > 3 && shape.k4 > kSplit ? 2 : 1 };
}

/** Sizes a GEMM of few rows that are rounded: a lane has its next tile on its way, and no more. */
export function fewRoundedRowsSize(shape: LinearShape): LinearSize {
  return { ...fewRowsSize(shape), atOnce: 1 };
}
