/** Plans of load tests: the number of requests, their lengths and their arrivals. Host only. */
import {
  drawerOf,
  type LengthSource,
  type RequestLengths,
  type UniformLengths,
} from "../simulate/lengths.ts";
import { promptIdsOf } from "../simulate/plan.ts";
import { requestsOf, type TimedRequest } from "../simulate/requests.ts";

export interface LoadPlan {
  readonly nRequests: number;
  /** Mean requests per second of a Poisson process; undefined for all at once. */
  readonly ratePerSecond: number | undefined;
  /** Most requests in flight; undefined for no limit. */
  readonly maxConcurrency: number | undefined;
  readonly lengths: LengthSource | { readonly uniform: UniformLengths };
  /** Tokens that all prompts begin with. */
  readonly prefixTokens: number;
  /** Context length of the model; longer requests are cut. */
  readonly nCtx: number;
  readonly vocabSize: number;
  /** Seed of lengths, arrivals and prompts. */
  readonly seed: number;
  /** 0 for greedy sampling. */
  readonly temperature: number;
  /** Asks for answers that go on after an end-of-text token. */
  readonly ignoreEos: boolean;
  /** Longest times of a request that counts for goodput; undefined for no limit. */
  readonly limits: Readonly<Record<"ttftMs" | "tpotMs" | "e2eMs", number | undefined>>;
}

/** Returns the requests of a plan in the order of their arrival, the same at every call. */
export function loadRequests(plan: LoadPlan): TimedRequest[] {
  const { nRequests, seed, ratePerSecond, prefixTokens } = plan;
  const room = plan.nCtx - prefixTokens, draw = drawerOf(plan.lengths, { nCtx: room });
  const prefixes = prefixTokens === 0 ? [] : [{ tokens: prefixTokens, keys: [] }];
  return [...requestsOf({
    count: nRequests,
    seed,
    ratePerSecond,
    continuations: 1,
    prefixes,
    draw: (random) => fitting(draw(random), room),
  })];
}

/** Cuts the prompt to the context, and the answer where that is not enough. */
function fitting(lengths: RequestLengths, room: number): RequestLengths {
  const newTokens = Math.min(lengths.newTokens, room - 1);
  return { ...lengths, promptTokens: Math.min(lengths.promptTokens, room - newTokens), newTokens };
}

/** Returns a prompt's token ids, those of the shared prefix first; the same at every call. */
export function loadPrompt(
  request: TimedRequest,
  { seed, vocabSize, prefixTokens: tokens }: LoadPlan,
): number[] {
  return promptIdsOf(
    request,
    { seed, prefixes: tokens === 0 ? undefined : { tokens, groups: 1 } },
    vocabSize,
  );
}
