/** Plans of serving simulations. Host only. */
import type { Preemption } from "../engine/scheduler/scheduler_options.ts";
import type { KvOptions } from "../kv/strategy_def.ts";
import { seededRandom } from "../base/random.ts";
import { drawerOf, type LengthSource } from "./lengths.ts";
import type { ModelShape } from "./model_shape.ts";
import { requestsOf, type TimedRequest } from "./requests.ts";
import type { LatencyLimits } from "./tally.ts";

/** Prefixes that requests share: their number, and the tokens of each. */
interface SharedPrefixes {
  readonly groups: number;
  readonly tokens: number;
}

/** The size of a K/V memory, its division, and the limits of a batch. */
export interface MemoryPlan {
  /** Bytes for K and V. */
  readonly budgetBytes: number;
  /** Bytes of host memory for swapping. */
  readonly swapBytes: number;
  /** Blocks that an admission leaves free; undefined for 1 %. */
  readonly watermark: number | undefined;
  /** Options of the strategies; each takes its own. */
  readonly kvOptions: KvOptions;
  readonly preemption: Preemption;
  /** Most sequences that run at once. */
  readonly maxSequences: number;
  /** Most tokens of a step. */
  readonly maxRows: number;
}

/** The same for every policy. */
export interface ServingPlan extends MemoryPlan {
  /** Names of the policies to compare, in the order of the report. */
  readonly policies: readonly string[];
  readonly lengths: LengthSource;
  /** Factor on lengths that are drawn. */
  readonly lengthScale: number;
  readonly nRequests: number;
  /** Mean requests per second; undefined for all at once. */
  readonly ratePerSecond: number | undefined;
  /** Continuations of each prompt. */
  readonly continuations: number;
  /** Prefixes that requests share; undefined for none. */
  readonly prefixes: SharedPrefixes | undefined;
  /** Seed of lengths, arrivals and prompts. */
  readonly seed: number;
  /** Limits of a request that counts for goodput. */
  readonly limits: LatencyLimits | undefined;
  /** Checks the memory's invariants at every step. */
  readonly verify: boolean;
}

/**
 * Returns the requests of a plan, the same at every call.
 *
 * @param blockSize Tokens per block, which shared beginnings get a key for. Default: no keys.
 */
export function plannedRequests(
  plan: ServingPlan,
  shape: ModelShape,
  blockSize = Infinity,
): Iterator<TimedRequest> {
  const { nRequests, seed, ratePerSecond, continuations, prefixes } = plan;
  return requestsOf({
    count: nRequests,
    seed,
    ratePerSecond,
    continuations,
    prefixes: Array.from({ length: prefixes?.groups ?? 0 }, (_, group) => ({
      tokens: prefixes!.tokens,
      // Names suffice as keys: no two prefixes are equal, and what follows them is not shared.
      keys: Array.from({ length: Math.floor(prefixes!.tokens / blockSize) }, (_, i) => `${group}:${i}`),
    })),
    draw: drawerOf(plan.lengths, { nCtx: shape.nCtx - (prefixes?.tokens ?? 0), scale: plan.lengthScale }),
  });
}

/** Returns the token ids of a prompt: those of its shared prefix, if any, and its own; the same at every call. */
export function promptIdsOf(
  { id, promptTokens, prefixGroup }: TimedRequest,
  { seed, prefixes }: Pick<ServingPlan, "seed" | "prefixes">,
  vocabSize: number,
): number[] {
  const draw = (stream: number, count: number) => {
    const random = seededRandom(Math.imul(seed + 1, 0x9e3779b1) + stream);
    return Array.from({ length: count }, () => Math.floor(random() * vocabSize));
  };
  const shared = prefixGroup === undefined ? [] : draw(-1 - prefixGroup, prefixes!.tokens);
  return [...shared, ...draw(id, promptTokens - shared.length)];
}
