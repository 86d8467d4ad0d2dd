/** The kernel variants that are timed. */
import { isDeepEqual } from "../../base/equal.ts";
import { hasSubgroups, holdsLanes, type SubgroupDevice, subgroupLanes } from "../../gpu/subgroups.ts";
import type { Tuning } from "../tuning.ts";

/** The variant in which a lane makes four tiles, in workgroups of as many lanes as the default has. */
const WIDE = {
  tileGroup: 4,
  byVector: false,
  wideRows: true,
  tallRows: true,
  kSplit: 1,
  normedRows: 0,
  chosenRows: 0,
} as const satisfies Partial<Tuning>;
/** The variants in which lanes split the sums. */
const SPLIT = {
  texels: false,
  tileGroup: 4,
  byVector: true,
  wideRows: false,
  tallRows: false,
  broadcastRows: false,
  normedRows: 2,
  chosenRows: 2,
} as const satisfies Partial<Tuning>;
/** Variants of the linear products that every device can run. */
const LINEAR_VARIANTS: readonly Partial<Tuning>[] = [
  { ...WIDE, texels: true },
  { ...WIDE, texels: true, tallRows: false },
  { ...WIDE, texels: true, linearLanes: 32 },
  { ...WIDE, texels: false },
  ...[{ kSplit: 64, linearLanes: 4 }, { kSplit: 32, linearLanes: 8 }, { kSplit: 16, linearLanes: 16 }].map(
    (split) => ({ ...SPLIT, ...split }),
  ),
];
/** The variant that needs subgroups: the lanes of one read neighbouring inputs, so that an output's tiles lie together. */
const SUBGROUP_VARIANT: Partial<Tuning> = {
  ...SPLIT,
  tileGroup: 1,
  kSplit: 32,
  linearLanes: 32,
  subgroups: true,
};
/** The narrowest subgroups that are worth a look: where fewer lanes split a sum, each goes through most of it. */
const LEAST_SUBGROUP_LANES = 16;

/** Variants of the linear products that are timed on a device beside the defaults. */
export function linearVariants(device: SubgroupDevice): readonly Partial<Tuning>[] {
  const known = subgroupLanes(device), [, lanes] = known ?? [0, Infinity];
  const isWorthIt = hasSubgroups(device) && lanes >= LEAST_SUBGROUP_LANES;
  const variants = LINEAR_VARIANTS.map((variant) => ({
    ...variant,
    broadcastRows: holdsLanes(known, 8) && (variant.wideRows ?? false),
  }));
  return isWorthIt ? [...variants, SUBGROUP_VARIANT] : variants;
}
/** Lanes of an attention workgroup that go along the context. */
const CONTEXT_LANES = [8, 16, 32, 64] as const;
/** Variants of decode attention that are timed beside the defaults. */
export const DECODE_VARIANTS: readonly Pick<Tuning, "decodeAlong" | "decodeLanes">[] = [
  ...CONTEXT_LANES.map((decodeLanes) => ({ decodeAlong: false, decodeLanes })),
  ...[64, 128].map((decodeLanes) => ({ decodeAlong: true, decodeLanes })),
];
/** Variants of prefill attention that are timed beside the defaults. */
export const PREFILL_VARIANTS: readonly Pick<Tuning, "prefillShared" | "prefillLanes">[] = [
  ...CONTEXT_LANES.map((prefillLanes) => ({ prefillShared: false, prefillLanes })),
  { prefillShared: true, prefillLanes: 64 },
];

/** Positions of a decode attention workgroup that are timed: all, as few as hardware likes, and between. */
export const SPLITS: readonly number[] = [0, 64, 256];

/**
 * A tuning and, beside it, every variant of the linear products that is not the same, the likeliest first: defaults suit
 * their kind of adapter, so that what differs least from them is the likeliest to be better.
 */
export function linearTunings(base: Tuning, device: SubgroupDevice): Tuning[] {
  const others = linearVariants(device).map((variant) => ({ ...base, ...variant }));
  const differences = (variant: Tuning) =>
    Object.entries(base).filter(([key, value]) => variant[key as keyof Tuning] !== value).length;
  return [base, ...others.filter((variant) => !isDeepEqual(variant, base))]
    .sort((a, b) => differences(a) - differences(b));
}
