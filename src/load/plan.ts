/**
 * Plans of load tests: the number of requests, their lengths and their arrivals. Host only.
 *
 * @module
 */
import { drawLengths, LENGTH_MODELS } from "../simulate/lengths.ts";
import { type LengthSource, promptIdsOf } from "../simulate/plan.ts";
import { requestsOf, type TimedRequest } from "../simulate/requests.ts";

/** Lengths that are drawn uniformly around a mean; `spread` is the largest distance from it, as a share. */
interface UniformLengths {
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly spread: number;
}

/** A load test. */
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
  const prefixes = prefixTokens === 0 ? [] : [{ tokens: prefixTokens, keys: [] }];
  return [...requestsOf({
    count: nRequests,
    seed,
    ratePerSecond,
    continuations: 1,
    prefixes,
    draw: drawer(plan),
  })];
}

function drawer({ lengths, nCtx, prefixTokens }: LoadPlan): Parameters<typeof requestsOf>[0]["draw"] {
  const room = nCtx - prefixTokens;
  if ("dataSet" in lengths) {
    const model = LENGTH_MODELS[lengths.dataSet];
    return (random) => drawLengths(model, { nCtx: room }, { scale: 1, random });
  }
  if ("uniform" in lengths) {
    const { promptTokens, newTokens, spread } = lengths.uniform;
    const around = (middle: number, random: () => number) =>
      Math.max(1, Math.round(middle * (1 + spread * (2 * random() - 1))));
    return (random) => fitting(around(promptTokens, random), around(newTokens, random), room);
  }
  let next = 0;
  return () => {
    const { promptTokens, newTokens, ...rest } = lengths.recorded[next++ % lengths.recorded.length]!;
    return { ...fitting(promptTokens, newTokens, room), ...rest };
  };
}

/** Cuts the prompt to the context, and the answer where that is not enough. */
function fitting(prompt: number, output: number, room: number): { promptTokens: number; newTokens: number } {
  const newTokens = Math.min(output, room - 1);
  return { promptTokens: Math.min(prompt, room - newTokens), newTokens };
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
