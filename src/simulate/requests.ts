/**
 * A stream of requests, made one after another, so that a million of them need no memory. Host only.
 *
 * @module
 */
import type { Request } from "../engine/scheduler/request.ts";
import type { PrefixKey } from "../kv/paged/block_pool.ts";
import { seededRandom } from "../base/random.ts";
import type { RequestLengths } from "./lengths.ts";

/** A request with its place in time. */
export interface TimedRequest extends Request {
  /** When it comes, in ms from the start. */
  readonly arrivalMs: number;
  /** When its first token was there; NaN before. */
  firstTokenMs: number;
  /** Which of the shared beginnings it has. */
  readonly prefixGroup: number | undefined;
}

/** What to draw requests from. */
export interface RequestStream {
  /** How many. */
  readonly count: number;
  /** Of lengths, arrivals and groups. */
  readonly seed: number;
  /** Requests per second on average, as a Poisson process; undefined for all at once. */
  readonly ratePerSecond: number | undefined;
  /** Continuations of each prompt. */
  readonly continuations: number;
  /** Beginnings that requests share, each with its keys for the prefix cache; none where there are none. */
  readonly prefixes: readonly { readonly tokens: number; readonly keys: readonly PrefixKey[] }[];
  /** Lengths of the next request, without its shared beginning; `arrivalMs` where the source says it. */
  draw(random: () => number): RequestLengths & { readonly arrivalMs?: number };
}

/** Yields the requests in the order in which they come. */
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
