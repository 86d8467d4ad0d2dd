/**
 * The run of a load test: sends each request at its time, or when concurrency allows it, and keeps its outcome.
 */
import { KvbenchError } from "../base/errors.ts";
import type { LoadAnswer, LoadClient } from "./client.ts";
import { type LoadPlan, loadPrompt, loadRequests } from "./plan.ts";

/** The answer to a request, or the reason for which there is none. */
type LoadOutcome = { readonly answer: LoadAnswer } | { readonly failure: string };

/** A load test that is over. */
export interface LoadRun {
  /** Time from the first request to the last token. */
  readonly ms: number;
  /** Outcomes of the requests that were sent, in their order. */
  readonly outcomes: readonly LoadOutcome[];
  /** Most requests in flight at once. */
  readonly peakConcurrency: number;
}

/**
 * Runs a plan against a server. Requests that fail are counted; they do not end the run.
 *
 * @param watch.signal Ends the run and gives up requests in flight.
 * @param watch.onProgress Called with the number of requests that have ended.
 */
export async function runLoad(
  client: Pick<LoadClient, "complete">,
  model: string,
  plan: LoadPlan,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (nEnded: number) => void } = {},
): Promise<LoadRun> {
  const outcomes: LoadOutcome[] = [];
  const inFlight = new Set<Promise<void>>();
  const startMs = performance.now();
  let nEnded = 0, peakConcurrency = 0;
  const send = async (at: number, prompt: readonly number[], newTokens: number) => {
    const { temperature, ignoreEos } = plan;
    try {
      const answer = await client.complete(model, { prompt, newTokens, temperature, ignoreEos }, signal);
      outcomes[at] = { answer };
    } catch (error) {
      if (!(error instanceof KvbenchError)) throw error;
      outcomes[at] = { failure: signal?.aborted ? "interrupted" : error.message };
    }
    onProgress?.(++nEnded);
  };
  for (const [at, request] of loadRequests(plan).entries()) {
    await until(startMs + request.arrivalMs, signal);
    while (inFlight.size >= (plan.maxConcurrency ?? Infinity)) await Promise.race(inFlight);
    if (signal?.aborted) break;
    const sent = send(at, loadPrompt(request, plan), request.newTokens).finally(() => inFlight.delete(sent));
    inFlight.add(sent);
    peakConcurrency = Math.max(peakConcurrency, inFlight.size);
  }
  await Promise.all(inFlight);
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
