/**
 * Looking for a faster variant than the default: one after another, the likeliest first, each beside the default, until
 * the time is up. Believes a measurement only when it is repeated. Knows neither kernels nor models.
 */
import type { TuningBudget } from "../../gpu/autotune.ts";

/** The share that a variant must save to replace the default: timings of one variant differ by about this much. */
const MARGIN = 0.05;
/** The time of a variant, over that of the default, from which it is not worth another look. */
const HOPELESS = 1.2;
/** The share of the time in which variants are looked for; in what is left the best one is confirmed. */
const SEARCH_SHARE = 0.7;

/** One look at a variant beside the default: how long it takes, over what the default takes. */
export type Look = (which: "search" | "confirm") => Promise<number>;

interface Search<T> {
  /** The default, and the others, the likeliest first. */
  readonly variants: readonly [T, ...T[]];
  /** The looks at a variant, the most telling first. Compiling belongs to a look. */
  readonly looks: (variant: T) => readonly Look[];
  /** The share of all looks' mean that each has. Default: alike. */
  readonly weights?: readonly number[];
  /** Called before a variant is looked at. */
  readonly onVariant?: (variant: T, nth: number, count: number) => void;
}

/**
 * The variant that beat the default twice by the most. A variant that could not be looked at from all sides before the
 * time was up is not taken.
 */
export async function fastestInTime<T>(
  { variants: [base, ...others], looks, weights, onVariant }: Search<T>,
  budget: TuningBudget,
): Promise<T> {
  const share = async (
    variant: T,
    { which, time, onBegin }: {
      readonly which: "search" | "confirm";
      readonly time: TuningBudget;
      readonly onBegin?: () => void;
    },
  ) => {
    let sum = 0, all = 0;
    for (const [i, look] of looks(variant).entries()) {
      const taken = await time.step(() => {
        if (i === 0) onBegin?.();
        return look(which);
      });
      if (taken === undefined) return undefined;
      if (taken > HOPELESS) return taken;
      const weight = weights?.[i] ?? 1;
      sum += weight * taken;
      all += weight;
    }
    return sum / all;
  };
  const search = budget.part(SEARCH_SHARE);
  let best: { readonly variant: T; readonly taken: number } | undefined;
  for (const [i, variant] of others.entries()) {
    if (search.spent) break;
    const taken = await share(variant, {
      which: "search",
      time: search,
      onBegin: () => onVariant?.(variant, i + 1, others.length),
    });
    if (taken === undefined) break;
    if (taken < 1 - MARGIN && taken < (best?.taken ?? 1)) best = { variant, taken };
  }
  if (best === undefined) return base;
  const again = await share(best.variant, { which: "confirm", time: budget });
  return again !== undefined && again < 1 - MARGIN ? best.variant : base;
}
