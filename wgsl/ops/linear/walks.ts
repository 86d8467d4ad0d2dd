/** The way of lanes through the weights of products, and what they wait for before it. */
import { elementBytes, storedK4, tileVectors, vectorTogether } from "../../../src/model/pack.ts";
import type { Tuning } from "../../../src/model/tuning.ts";
import type { Walk } from "../../../src/gpu/walk.ts";
import type { LinearShape, LinearSize } from "./sizes.ts";

/** The parts of a form that its way depends on. */
interface WalkingForm {
  readonly rows: number;
  readonly tilesPerLane: number;
  readonly lanes?: { readonly beside: number; readonly along: number };
  size(shape: LinearShape): LinearSize;
}

/** Splits that a lane joins at once; see `linear_input_joined.wgsl`. */
const JOINED_AT_ONCE = 8;

/** Counts the waits of a lane that joins so many splits of each of its vectors. */
export function waitsOfJoining(splits: number, vectors: number): number {
  return Math.ceil(splits / JOINED_AT_ONCE) * Math.ceil(vectors);
}

/** Vectors of a row that a lane normalises at once; see `linear_input_normed.wgsl`. */
const NORMED_AT_ONCE = 3;

/** Counts the vectors that so many lanes keep of a row of `k4`: as many each. */
export function normedRoom(k4: number, lanes: number): number {
  const round = k4 > NORMED_AT_ONCE * lanes ? NORMED_AT_ONCE * lanes : lanes;
  return Math.ceil(k4 / round) * round;
}

/**
 * Counts the waits of a lane that normalises so many vectors, before that for the weights: AMD's compiler moves their
 * loads, and those of the first gamma and beta, behind the sums.
 */
export function waitsOfNorming(vectors: number): number {
  return 2 * Math.ceil(vectors / NORMED_AT_ONCE) - 1;
}

/** The way of lanes through the weights. */
export function linearWalk(
  { tileGroup, byVector }: Tuning,
  shape: Required<LinearShape>,
  { rows, tilesPerLane, size, lanes }: WalkingForm,
): Walk {
  const { k4, dtype } = shape, sized = size(shape);
  const { beside, along } = lanes ?? { beside: sized.lanes, along: sized.kSplit ?? 1 };
  const vectors = tileVectors(dtype), columns = 4 * beside * tilesPerLane, outputs = sized.paired ? 2 : 1;
  const bytes = elementBytes(dtype), groupTiles = tileGroup * storedK4(k4, dtype);
  return {
    lanes: beside * along,
    trips: outputs * Math.ceil(k4 / along),
    atOnce: outputs * (sized.atOnce ?? 1),
    bytes: 16,
    at(lane) {
      const n4 = lane % beside * tilesPerLane, row = Math.floor(lane / beside);
      const tile = Math.floor(n4 / tileGroup) * groupTiles + row * tileGroup + n4 % tileGroup;
      return 16 * (byVector && vectors > 1 ? vectorTogether(tile, 0, vectors) : Math.floor(tile * bytes));
    },
    flopPerByte: 2 * rows * columns / (4 * rows + bytes * columns),
  };
}
