/**
 * Kernel variants. CPU-like adapters and hardware GPUs want opposite memory layouts and group sizes; a tuning
 * is one consistent choice, recorded in every result.
 */
import type { AdapterFacts } from "../gpu/adapter.ts";
import { hasSubgroups, holdsLanes, type SubgroupLanes } from "../gpu/subgroups.ts";

/** A choice of kernel variants. */
export interface Tuning {
  /** Which of the choices this is. */
  readonly name: "software" | "hardware" | "subgroups" | "measured";
  /** True if weights, K and V, and activation inputs of products and attention, are in texture storage; see `texels.wgsl`. */
  readonly texels: boolean;
  /** Output tiles that lie together in packed weights; see `linear.wgsl`. */
  readonly tileGroup: number;
  /** True if the vectors of eight tiles in turn lie together, rather than those of a tile; see `order_by_vector.wgsl`. */
  readonly byVector: boolean;
  /** True if a lane of a many-row product makes four output tiles rather than one. */
  readonly wideRows: boolean;
  /** True if each weight tile serves sixteen rows rather than eight in products of more than eight, if `wideRows`. */
  readonly tallRows: boolean;
  /** True if lanes load a row each and subgroups hand it on, if `wideRows`; see `linear_eight_broadcast.wgsl`. */
  readonly broadcastRows: boolean;
  /** The most lanes that split the sum over k in products of one row; 1 means that a lane does it alone. */
  readonly kSplit: number;
  /** True if those lanes are a subgroup's, as many as it has; where they are, `kSplit` sizes the workgroup. */
  readonly subgroups: boolean;
  /** Lanes of a linear workgroup that make different outputs; fewer where few outputs would give few workgroups. */
  readonly linearLanes: number;
  /** Lanes of a layer norm workgroup, a power of two. */
  readonly normLanes: number;
  /** True if lanes of decode attention go along a head rather than along the context; see `attention_decode_along.wgsl`. */
  readonly decodeAlong: boolean;
  /** At least this many lanes in a decode attention workgroup. */
  readonly decodeLanes: number;
  /** Positions of a decode attention workgroup, a multiple of four; 0 means all, so that nothing is left to combine. */
  readonly splitTokens: number;
  /** True if prefill attention has K and V in workgroup memory, where heads are narrow; see `attention_prefill_shared.wgsl`. */
  readonly prefillShared: boolean;
  /** At least this many lanes in a prefill attention workgroup that has not. */
  readonly prefillLanes: number;
  /** Lanes of an argmax workgroup. */
  readonly argmaxLanes: number;
  /** Workgroups that look for the largest logit of an output, up to 64; where they are several, another one joins them. */
  readonly argmaxParts: number;
  /** Lanes of a workgroup whose lanes share nothing. */
  readonly flatLanes: number;
  /** Lanes of a sampling workgroup, where a device allows so many. */
  readonly sampleLanes: number;
  /** Bits of a logit that a scan of the sampler settles; see `sample.wgsl`. */
  readonly sampleBits: number;
  /** Products of at most this many rows use the one-row kernel. */
  readonly maxSingleRows: number;
  /** Products of at most this many rows make the layer norm before them, rather than a dispatch; 0 or `maxSingleRows`. */
  readonly normedRows: number;
  /** QKV's products of at most this many rows store K and V, where their type allows it, rather than a dispatch. */
  readonly storedRows: number;
  /** Heads of at most this many outputs find the likeliest token, for a dispatch to join; 0 or `maxSingleRows`. */
  readonly chosenRows: number;
}

/** For adapters whose lanes are a CPU's. */
export const SOFTWARE_TUNING: Tuning = {
  name: "software",
  texels: true,
  tileGroup: 4,
  byVector: false,
  wideRows: true,
  tallRows: true,
  broadcastRows: false,
  kSplit: 1,
  subgroups: false,
  linearLanes: 8,
  normLanes: 8,
  decodeAlong: false,
  decodeLanes: 8,
  splitTokens: 0,
  prefillShared: false,
  prefillLanes: 8,
  argmaxLanes: 64,
  argmaxParts: 1,
  flatLanes: 32,
  sampleLanes: 64,
  sampleBits: 11,
  maxSingleRows: 2,
  normedRows: 0,
  storedRows: 2,
  chosenRows: 0,
};

/** For adapters whose lanes are a CPU's, in subgroups of eight or more. */
export const BROADCAST_TUNING: Tuning = { ...SOFTWARE_TUNING, broadcastRows: true };

/** For adapters whose lanes are a CPU's, in subgroups of sixteen or more: only products gain by so many lanes. */
export const SIXTEEN_TUNING: Tuning = { ...BROADCAST_TUNING, linearLanes: 16 };

/** For hardware GPUs. */
export const HARDWARE_TUNING: Tuning = {
  name: "hardware",
  texels: false,
  tileGroup: 4,
  byVector: true,
  wideRows: false,
  tallRows: false,
  broadcastRows: false,
  kSplit: 32,
  subgroups: false,
  linearLanes: 8,
  normLanes: 256,
  decodeAlong: true,
  decodeLanes: 64,
  splitTokens: 64,
  prefillShared: true,
  prefillLanes: 64,
  argmaxLanes: 256,
  argmaxParts: 64,
  flatLanes: 64,
  sampleLanes: 1024,
  sampleBits: 11,
  maxSingleRows: 2,
  normedRows: 2,
  storedRows: 32,
  chosenRows: 2,
};

/** For hardware GPUs that have subgroups. */
export const SUBGROUP_TUNING: Tuning = {
  ...HARDWARE_TUNING,
  name: "subgroups",
  tileGroup: 1,
  kSplit: 32,
  subgroups: true,
};

/** Counts the splits that the decode attention of a context has. */
export function splitsOf(context: number, { splitTokens }: Pick<Tuning, "splitTokens">): number {
  return splitTokens === 0 ? 1 : Math.ceil(context / splitTokens);
}

/** One tuning of each kind that a device can run, the one for its adapter's kind first. */
export function tuningsOf(facts: AdapterFacts, device: Pick<GPUDevice, "features">): [Tuning, ...Tuning[]] {
  const own = tuningFor(facts), bits = { sampleBits: own.sampleBits };
  const other = { ...tuningFor({ ...facts, software: !facts.software }), ...bits };
  return [own, other, ...hasSubgroups(device) ? [{ ...SUBGROUP_TUNING, ...bits }] : []];
}

/** Bits of the sampler on OpenGL, where bins are what its compiling takes time for. */
const OPENGL_SAMPLE_BITS = 8;

/** Chooses by the kind of adapter. */
export function tuningFor(facts: Pick<AdapterFacts, "software" | "backend" | "subgroupLanes">): Tuning {
  const tuning = facts.software ? softwareTuning(facts.subgroupLanes) : HARDWARE_TUNING;
  return facts.backend === "gl" ? { ...tuning, sampleBits: OPENGL_SAMPLE_BITS } : tuning;
}

function softwareTuning(lanes: SubgroupLanes | undefined): Tuning {
  if (holdsLanes(lanes, 16)) return SIXTEEN_TUNING;
  return holdsLanes(lanes, 8) ? BROADCAST_TUNING : SOFTWARE_TUNING;
}
