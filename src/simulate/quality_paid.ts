/**
 * The cost in quality of a policy of a serving simulation: the figures of the cell with its strategy, options and
 * types in a quality record.
 */

import { isExactKv, type KvDtype } from "../formats/kv_dtype.ts";
import { chooseKv, findStrategy } from "../kv/registry.ts";
import type { KvOptions } from "../kv/strategy_def.ts";
import type { ScoredCell } from "../measure/quality/scored_cell.ts";
import type { ServingEntry } from "./entry.ts";

interface ServedPolicy {
  readonly policy: string;
  readonly kvOptions: KvOptions;
  readonly kvDtype: KvDtype;
}

/** Returns the quality of a policy; null where no cell has its options. Any exact cell serves for an exact policy. */
export function qualityPaid(cells: readonly ScoredCell[], served: ServedPolicy): ServingEntry["quality"] {
  const { policy, kvOptions, kvDtype } = served, { strategy, options } = chooseKv(policy, kvOptions);
  if (strategy.traits.exact && isExactKv(kvDtype)) return { kld_mean: 0, same_top: 1 };
  const scored = cells.find((cell) => {
    if (cell.settings.kv_dtype !== kvDtype) return false;
    if (strategy.traits.exact) return findStrategy(cell.strategy)?.traits.exact ?? false;
    return cell.strategy === policy &&
      Object.entries(options).every(([key, value]) => cell.settings[key] === value);
  });
  if (scored === undefined) return null;
  const { kld, same_top } = scored.divergence;
  return { kld_mean: kld.mean.value, same_top: same_top.value };
}
