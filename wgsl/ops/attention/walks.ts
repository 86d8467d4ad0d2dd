/** The ways of attention's lanes through K, for judging it without a GPU. */
import type { KvSource } from "../../../src/kv/source.ts";
import type { Walk } from "../../../src/gpu/walk.ts";

/** The sizes that a way depends on. */
interface HeadWay {
  /** Vectors of four of a head. */
  readonly headDim4: number;
  /** Lanes of a workgroup. */
  readonly lanes: number;
  /** Entries that a workgroup goes through. */
  readonly entries: number;
}

/** Bytes of a vector of K. */
function vectorBytes({ headBytes: [k] }: KvSource, headDim4: number): number {
  return k.values / headDim4;
}

/** Waits before attention's way: for its tile, then for the slots of its entries. */
const BEFORE = 2;

/**
 * The way of lanes that go along the context: each reads K of entries of its own, `own` at a time, vector by vector; those
 * of neighbouring lanes begin `apart` entries apart.
 */
export function contextWalk(
  kv: KvSource,
  { headDim4, lanes, entries, own, apart }: HeadWay & { readonly own: number; readonly apart: number },
): Walk {
  const turns = Math.ceil(entries / (own * lanes));
  return {
    lanes,
    busy: Math.min(lanes, Math.ceil(entries / apart)),
    trips: turns * own * headDim4 + entries,
    atOnce: 4,
    before: BEFORE,
    bytes: vectorBytes(kv, headDim4),
    at: (lane) => apart * lane * kv.headBytes[0].values,
  };
}

/** The way of lanes that go along the head: those of a head read K, then V, of an entry, and those beside them of the next. */
export function headWalk(
  kv: KvSource,
  { headDim4, lanes, entries, along, atOnce }: HeadWay & { readonly along: number; readonly atOnce: number },
): Walk {
  const beside = lanes / along, bytes = vectorBytes(kv, headDim4);
  return {
    lanes,
    busy: beside * headDim4,
    trips: 2 * atOnce * Math.ceil(entries / (beside * atOnce)),
    atOnce,
    before: BEFORE,
    bytes,
    at: (lane) =>
      Math.floor(lane / along) * kv.headBytes[0].values + Math.min(lane % along, headDim4 - 1) * bytes,
  };
}

/** The way of lanes that fetch K and V for many rows: a vector of both at once. */
export function sharedWalk(
  kv: KvSource,
  { rows, ...way }: HeadWay & { readonly along: number; readonly rows: number },
): Walk {
  const [k, v] = kv.headBytes, flop = 2 * 2 * 4 * way.headDim4 * rows;
  return { ...headWalk(kv, { ...way, atOnce: 1 }), atOnce: 2, flopPerByte: flop / (k.values + v.values) };
}
