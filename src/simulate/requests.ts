/** A stream of requests, made one by one, so that a million of them need no memory. Host only. */
import type { Request } from "../engine/scheduler/request.ts";
import type { PrefixKey } from "../kv/prefix_keys.ts";
import { seededRandom } from "../base/random.ts";
import type { RequestLengths } from "./lengths.ts";

/** A request with its arrival. */
export interface TimedRequest extends Request {
  /** Arrival, in ms from the start. */
  readonly arrivalMs: number;
  /** Time of its first token; NaN before. */
  firstTokenMs: number;
  /** Index of its shared prefix. */
  readonly prefixGroup: number | undefined;
}

interface RequestStream {
  readonly count: number;
  /** Seed of lengths, arrivals and prefixes. */
  readonly seed: number;
  /** Mean requests per second of a Poisson process; undefined for all at once. */
  readonly ratePerSecond: number | undefined;
  /** Continuations of each prompt. */
  readonly continuations: number;
  /** Prefixes that requests share, each with its keys for the prefix cache. */
  readonly prefixes: readonly { readonly tokens: number; readonly keys: readonly PrefixKey[] }[];
  /** Draws the next request's lengths without its shared prefix, and its arrival where the source has one. */
  draw(random: () => number): RequestLengths & { readonly arrivalMs?: number };
}

/** Yields the requests in the order of arrival. */
export function* requestsOf(stream: RequestStream): Generator<TimedRequest> {
  const { count, seed, ratePerSecond, continuations, prefixes } = stream;
  // One generator each, so that the lengths are the same at every rate.
  const lengths = seededRandom(seed), arrivals = seededRandom(seed + 1), groups = seededRandom(seed + 2);
  let clockMs = 0;
  for (let id = 0; id < count; id++) {
    const { promptTokens, newTokens, arrivalMs } = stream.draw(lengths);
    if (ratePerSecond !== undefined) clockMs += -Math.log(1 - arrivals()) * 1000 / ratePerSecond;
    const prefixGroup = prefixes.length > 0 ? Math.floor(groups() * prefixes.length) : undefined;
    const prefix = prefixGroup === undefined ? undefined : prefixes[prefixGroup];
    yield {
      id,
      arrivalMs: arrivalMs ?? clockMs,
      firstTokenMs: NaN,
      promptTokens: promptTokens + (prefix?.tokens ?? 0),
      newTokens,
      continuations,
      prefixGroup,
      ...(prefix && { prefix: prefix.keys }),
    };
  }
}
