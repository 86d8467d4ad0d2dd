/**
 * Trying again: after failures that may pass, with growing pauses, and not for ever.
 *
 * @module
 */
import { PassingError } from "./http.ts";

/** How often and how fast to try. */
export interface RetryOptions {
  /** Tries in a row that may fail. */
  readonly tries: number;
  /** The first pause, in ms; each is twice as long as the one before it. */
  readonly firstPauseMs: number;
  /** The longest pause that a server may ask for, in ms. */
  readonly maxPauseMs: number;
}

/** What is done unless told otherwise. */
export const RETRY: RetryOptions = { tries: 4, firstPauseMs: 500, maxPauseMs: 60_000 };

/** Called before a pause with what went wrong and how long the pause is. */
export type OnRetry = (reason: string, pauseMs: number) => void;

/**
 * Does something until it succeeds or fails for good.
 *
 * @param attempt Gets a function to call when it has got further than any try before: then the count begins anew.
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
