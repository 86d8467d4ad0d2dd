/**
 * `h2o`: each head keeps its heavy hitters, the tokens that got the most attention so far, and the recent ones. A new
 * token takes the place of one that leaves (Zhang et al. 2023, arXiv 2306.14048).
 */
import { UsageError } from "../../base/errors.ts";
import { keptStrategy, PROMPTS } from "../kept/strategy.ts";
import type { KvOption, StrategyDef } from "../strategy_def.ts";

const HEAVY: KvOption = {
  flag: "heavy",
  label: "heavy",
  placeholder: "tokens",
  help: "Tokens with the most attention that h2o keeps, for each head",
  values: { min: 0, max: 65_536 },
  default: 128,
};

const RECENT: KvOption = {
  flag: "recent",
  label: "recent",
  placeholder: "tokens",
  help: "Last tokens that h2o keeps",
  values: { min: 0, max: 65_536 },
  default: 128,
};

/** The strategy that keeps heavy hitters and recent tokens. */
export const H2O: StrategyDef = keptStrategy({
  name: "h2o",
  line: { light: "#8A6D00", dark: "#D9B93A" },
  options: { heavy: HEAVY, recent: RECENT },
  cases: [PROMPTS],
  ruleOf: (options) => {
    const heavy = Number(options.heavy), recent = Number(options.recent);
    if (heavy + recent === 0) {
      throw new UsageError("h2o keeps no token: expected --heavy and --recent of at least 1 together");
    }
    return { recent, heavy, observed: Infinity, pool: 1, everyStep: true };
  },
});
