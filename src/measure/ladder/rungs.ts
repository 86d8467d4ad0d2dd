/**
 * The rungs between a notebook's loop and a serving engine. Each is one object that says what it changes against the rung
 * below it, so that a measured difference has one cause. Measures nothing.
 */
import type { NamedStrategy } from "../../engine/decoding_kv.ts";
import { DEFAULT_DTYPE, type Dtype, formatOf, HALF_DTYPE } from "../../formats/registry.ts";
import {
  concatenatingStrategy,
  plainStrategy,
  recomputingStrategy,
  sharingStrategy,
} from "../../kv/registry.ts";

/** Names of the rungs, from the lowest to the highest. */
export const RUNG_NAMES = [
  "recompute",
  "concatenate",
  "reserve",
  "reuse",
  "half",
  "blocks",
  "batch",
] as const;
/** The name of a rung. */
export type RungName = (typeof RUNG_NAMES)[number];

/**
 * Loops: with ids awaited after every token and everything else made anew; with everything reused and steps recorded
 * ahead; or the same by continuous batching.
 */
export const LOOPS = ["awaited", "ahead", "continuous"] as const;
/** A loop. */
export type Loop = (typeof LOOPS)[number];

/** Everything that rungs differ in. */
export interface RungSetup {
  /** The strategy that keeps K and V. */
  readonly kv: NamedStrategy;
  readonly loop: Loop;
  /** Storage type of weight matrices. */
  readonly weightsDtype: Dtype;
  /** Sequences that are decoded together. */
  readonly batch: number;
}

interface Rung {
  readonly name: RungName;
  /** Differences from the rung below; the lowest one has everything. */
  readonly changes: Partial<RungSetup>;
}

/** A rung with all that it has from those below. */
export interface WholeRung extends RungSetup {
  readonly name: RungName;
  /** True if its ids are the lowest rung's: no number is rounded on the way. */
  readonly exact: boolean;
}

/** Returns the rungs, from the lowest to the highest. */
export function rungs(): readonly [Rung & { readonly changes: RungSetup }, ...Rung[]] {
  const named = ({ name: strategy }: { readonly name: string }): NamedStrategy => ({ strategy });
  const { strategy: { name }, options } = concatenatingStrategy();
  return [
    {
      name: "recompute",
      changes: {
        kv: named(recomputingStrategy()),
        loop: "awaited",
        weightsDtype: DEFAULT_DTYPE,
        batch: 1,
      },
    },
    { name: "concatenate", changes: { kv: { strategy: name, kvOptions: options } } },
    { name: "reserve", changes: { kv: named(plainStrategy()) } },
    { name: "reuse", changes: { loop: "ahead" } },
    { name: "half", changes: { weightsDtype: HALF_DTYPE } },
    { name: "blocks", changes: { kv: named(sharingStrategy()) } },
    { name: "batch", changes: { loop: "continuous", batch: 8 } },
  ];
}

/** Returns every rung with what it has from those below. */
export function wholeRungs(): readonly WholeRung[] {
  const [lowest, ...others] = rungs();
  const whole = [{ name: lowest.name, ...lowest.changes }];
  for (const { name, changes } of others) whole.push({ ...whole.at(-1)!, ...changes, name });
  return whole.map((rung) => ({ ...rung, exact: formatOf(rung.weightsDtype).exact }));
}
