/** Retries after failures that may pass, with growing pauses and a limit. */
import { PassingError } from "./http.ts";

/** Number and pace of tries. */
export interface RetryOptions {
  /** Most failures in a row. */
  readonly tries: number;
  /** The first pause, in ms; each is twice as long as the one before it. */
  readonly firstPauseMs: number;
  /** The longest pause that a server may ask for, in ms. */
  readonly maxPauseMs: number;
}

/** Default number and pace of tries. */
export const RETRY: RetryOptions = { tries: 4, firstPauseMs: 500, maxPauseMs: 60_000 };

/** Called before a pause, with the reason and the pause's length. */
export type OnRetry = (reason: string, pauseMs: number) => void;

/**
 * Calls `attempt` until it succeeds or fails for good.
 *
 * @param attempt Gets a function to call after progress, which resets the count of failures.
 * @throws {KvbenchError} What `attempt` threw last.
 */
export async function retrying<T>(
  attempt: (progressed: () => void) => Promise<T>,
  options: RetryOptions,
  onRetry: OnRetry = () => {},
): Promise<T> {
  for (let failed = 0;;) {
    try {
      return await attempt(() => failed = 0);
    } catch (error) {
      if (!(error instanceof PassingError)) throw error;
      failed++;
      const pauseMs = error.retryAfterMs ?? options.firstPauseMs * 2 ** (failed - 1);
      if (pauseMs > options.maxPauseMs) throw error;
      if (failed >= options.tries) {
        throw new PassingError(`${error.message} (tried ${failed} times)`);
      }
      onRetry(error.message, pauseMs);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
