/**
 * What a serving simulation is asked to do. Host only.
 *
 * @module
 */
import type { Preemption } from "../engine/scheduler/scheduler_options.ts";
import type { KvOptions } from "../kv/strategy_def.ts";
import { seededRandom } from "../base/random.ts";
import type { RecordedRequest } from "./length_file.ts";
import { type DataSet, drawLengths, LENGTH_MODELS, type RequestLengths } from "./lengths.ts";
import type { ModelShape } from "./model_shape.ts";
import { requestsOf, type TimedRequest } from "./requests.ts";
import type { LatencyLimits } from "./tally.ts";

/** Where lengths come from. */
export type LengthSource =
  | { readonly dataSet: DataSet }
  | { readonly file: string; readonly recorded: readonly RecordedRequest[] };

/** Beginnings that requests share. */
export interface SharedPrefixes {
  /** How many. */
  readonly groups: number;
  /** Tokens of each. */
  readonly tokens: number;
}

/** How large a K/V memory is, how it is cut, and how many share it. */
export interface MemoryPlan {
  /** Bytes for K and V. */
  readonly budgetBytes: number;
  /** Bytes of host memory for what is swapped out. */
  readonly swapBytes: number;
  /** Blocks that an admission leaves free; undefined for 1 %. */
  readonly watermark: number | undefined;
  /** Options of the strategies; each takes its own. */
  readonly kvOptions: KvOptions;
  /** What happens to preempted K and V. */
  readonly preemption: Preemption;
  /** Sequences that run at once at most. */
  readonly maxSequences: number;
  /** Tokens that a step computes at most. */
  readonly maxRows: number;
}

/** The same for every policy. */
export interface ServingPlan extends MemoryPlan {
  /** What to compare, in the order of the report. */
  readonly policies: readonly string[];
  /** Where lengths come from. */
  readonly lengths: LengthSource;
  /** Multiplies lengths that are drawn. */
  readonly lengthScale: number;
  /** Requests. */
  readonly nRequests: number;
  /** Requests per second on average; all at once if undefined. */
  readonly ratePerSecond: number | undefined;
  /** Continuations of each prompt. */
  readonly continuations: number;
  /** Beginnings that requests share; undefined where there are none. */
  readonly prefixes: SharedPrefixes | undefined;
  /** Of lengths, arrivals and prompts. */
  readonly seed: number;
  /** What counts for goodput. */
  readonly limits: LatencyLimits | undefined;
  /** Whether the memory's invariants are checked at every step. */
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
      // Names suffice: no two beginnings are alike, and what follows them is nobody else's.
      keys: Array.from({ length: Math.floor(prefixes!.tokens / blockSize) }, (_, i) => `${group}:${i}`),
    })),
    draw: drawer(plan, shape),
  });
}

function drawer(
  { lengths, lengthScale, prefixes }: ServingPlan,
  { nCtx }: ModelShape,
): (random: () => number) => RequestLengths & { arrivalMs?: number } {
  if ("recorded" in lengths) {
    let next = 0;
    return () => lengths.recorded[next++ % lengths.recorded.length]!;
  }
  const room = { nCtx: nCtx - (prefixes?.tokens ?? 0) };
  return (random) => drawLengths(LENGTH_MODELS[lengths.dataSet], room, { scale: lengthScale, random });
}

/** Token ids of a prompt: those of its shared beginning, if it has one, and its own; the same at every call. */
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
