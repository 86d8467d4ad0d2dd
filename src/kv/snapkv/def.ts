/**
 * `snapkv`: after the prompt each head keeps what the prompt's last rows attended to, and those rows themselves; new tokens
 * all stay (Li et al. 2024, arXiv 2404.14469).
 */
import { UsageError } from "../../base/errors.ts";
import { keptStrategy } from "../kept/strategy.ts";
import type { KvOption, StrategyDef } from "../strategy_def.ts";

const BUDGET: KvOption = {
  flag: "budget",
  label: "budget",
  placeholder: "tokens",
  help: "Tokens of the prompt that snapkv keeps, for each head",
  values: { min: 1, max: 65_536 },
  default: 256,
};

const OBSERVE: KvOption = {
  flag: "observe",
  label: "observe",
  placeholder: "tokens",
  help: "Last tokens of the prompt by whose attention snapkv chooses; they stay",
  values: { min: 1, max: 65_536 },
  default: 32,
};

const POOL_KERNEL: KvOption = {
  flag: "pool-kernel",
  label: "pool",
  placeholder: "tokens",
  help: "Neighbours over which snapkv averages attention, an odd number",
  values: { min: 1, max: 65_535 },
  default: 5,
};

/** The strategy that keeps what the end of the prompt looks at. */
export const SNAPKV: StrategyDef = keptStrategy({
  name: "snapkv",
  line: { light: "#B0457B", dark: "#E58AB8" },
  options: { budget: BUDGET, observe: OBSERVE, pool_kernel: POOL_KERNEL },
  ruleOf: ({ budget, observe, pool_kernel }) => {
    const [most, observed, pool] = [budget, observe, pool_kernel].map(Number) as [number, number, number];
    if (observed > most) {
      throw new UsageError(
        `snapkv observes ${observed} tokens and keeps ${most}: expected --observe of at most --budget`,
      );
    }
    if (pool % 2 === 0) throw new UsageError(`--pool-kernel is ${pool}: expected an odd number`);
    return { recent: observed, heavy: most - observed, observed, pool, everyStep: false };
  },
});
