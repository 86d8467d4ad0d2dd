/**
 * Carries a load test out: sends each request at its time, or when there is room for it, and keeps what came of it.
 *
 * @module
 */
import { KvbenchError } from "../base/errors.ts";
import type { LoadAnswer, LoadClient } from "./client.ts";
import { type LoadPlan, loadPrompt, loadRequests } from "./plan.ts";

/** What came of a request. */
export type LoadOutcome = { readonly answer: LoadAnswer } | { readonly failure: string };

/** A load test that is over. */
export interface LoadRun {
  /** From the first request to the last token, in ms. */
  readonly ms: number;
  /** In the order in which they were sent; only those that were, where it was interrupted. */
  readonly outcomes: readonly LoadOutcome[];
  /** The most requests that were under way at once. */
  readonly peakConcurrency: number;
}

/** How a load test is watched. */
export interface LoadWatch {
  /** Ends it: what is under way is given up. */
  readonly signal?: AbortSignal;
  /** Called with the number of requests that are over. */
  onProgress?(nOver: number): void;
}

/** Runs a plan against a server. Requests that fail are counted; they don't end the run. */
export async function runLoad(
  client: Pick<LoadClient, "complete">,
  model: string,
  plan: LoadPlan,
  { signal, onProgress }: LoadWatch = {},
): Promise<LoadRun> {
  const outcomes: LoadOutcome[] = [];
  const underWay = new Set<Promise<void>>();
  const startMs = performance.now();
  let nOver = 0, peakConcurrency = 0;
  const send = async (at: number, prompt: readonly number[], newTokens: number) => {
    const { temperature, ignoreEos } = plan;
    try {
      const answer = await client.complete(model, { prompt, newTokens, temperature, ignoreEos }, signal);
      outcomes[at] = { answer };
    } catch (error) {
      if (!(error instanceof KvbenchError)) throw error;
      outcomes[at] = { failure: signal?.aborted ? "interrupted" : error.message };
    }
    onProgress?.(++nOver);
  };
  for (const [at, request] of loadRequests(plan).entries()) {
    await until(startMs + request.arrivalMs, signal);
    while (underWay.size >= (plan.maxConcurrency ?? Infinity)) await Promise.race(underWay);
    if (signal?.aborted) break;
    const sent = send(at, loadPrompt(request, plan), request.newTokens).finally(() => underWay.delete(sent));
    underWay.add(sent);
    peakConcurrency = Math.max(peakConcurrency, underWay.size);
  }
  await Promise.all(underWay);
  return { ms: performance.now() - startMs, outcomes, peakConcurrency };
}

/** Waits until a time of `performance.now()`, or until the signal is aborted. */
function until(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const left = ms - performance.now();
  if (left <= 0 || signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, left);
    signal?.addEventListener("abort", over);
  });
}
