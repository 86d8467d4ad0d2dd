/**
 * What a load test sends: how many requests, how long, and when. Host only.
 *
 * @module
 */
import { drawLengths, LENGTH_MODELS } from "../simulate/lengths.ts";
import { type LengthSource, promptIdsOf } from "../simulate/plan.ts";
import { requestsOf, type TimedRequest } from "../simulate/requests.ts";

/** Lengths that are drawn evenly around a middle. */
export interface UniformLengths {
  /** Tokens of a prompt. */
  readonly promptTokens: number;
  /** Tokens of an answer. */
  readonly newTokens: number;
  /** How far both may be from the middle, as a share of it. */
  readonly spread: number;
}

/** What counts for goodput. */
export interface LoadLimits {
  /** Time to first token. */
  readonly ttftMs: number | undefined;
  /** Time per output token. */
  readonly tpotMs: number | undefined;
  /** The whole request. */
  readonly e2eMs: number | undefined;
}

/** A load test. */
export interface LoadPlan {
  /** Requests. */
  readonly nRequests: number;
  /** Requests per second on average, as a Poisson process; all at once if undefined. */
  readonly ratePerSecond: number | undefined;
  /** Requests under way at most; no limit if undefined. */
  readonly maxConcurrency: number | undefined;
  /** Where lengths come from. */
  readonly lengths: LengthSource | { readonly uniform: UniformLengths };
  /** Tokens at the beginning that all prompts share. */
  readonly prefixTokens: number;
  /** The longest sequence of the model: longer ones are cut. */
  readonly nCtx: number;
  /** Token ids of prompts are below this. */
  readonly vocabSize: number;
  /** Of lengths, arrivals and prompts. */
  readonly seed: number;
  /** 0 for the likeliest tokens. */
  readonly temperature: number;
  /** Whether answers go on after the end of the text. */
  readonly ignoreEos: boolean;
  /** What counts for goodput. */
  readonly limits: LoadLimits;
}

/** The requests of a plan, the same at every call, in the order in which they come. */
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

/** Cuts the prompt first, and the answer where that is not enough. */
function fitting(prompt: number, output: number, room: number): { promptTokens: number; newTokens: number } {
  const newTokens = Math.min(output, room - 1);
  return { promptTokens: Math.min(prompt, room - newTokens), newTokens };
}

/** Token ids of a prompt, the shared beginning's first; the same at every call. */
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
