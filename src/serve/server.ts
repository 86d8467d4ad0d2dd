/**
 * A server over one engine, from its first request to its last: it listens, and ends in good order.
 *
 * @module
 */
import type { LiveEngine } from "../engine/live_engine.ts";
import { Api, type ApiOptions } from "./api.ts";
import type { ServedModel } from "./completion_job.ts";
import { type CompletionLimits, Completions } from "./completions.ts";
import { type HttpServerOptions, listen } from "./http_server.ts";
import { Metrics } from "./metrics.ts";

/** How long the last answers may take to be sent, in ms. */
const LAST_WORDS_MS = 1000;

/** Where a server listens, what it takes, and when it ends. */
export interface ServerOptions extends ApiOptions, CompletionLimits, HttpServerOptions {
  /** Ends the server when it is aborted. */
  readonly signal: AbortSignal;
  /** How long requests under way may still take then. */
  readonly graceMs: number;
  /** Called when it listens, with its address. */
  onListen(url: string): void;
}

/**
 * Serves until the signal is aborted: no request is taken from then on, and those under way are finished, or cancelled
 * after the grace period. The engine has stopped when this returns; it stays the caller's to dispose of.
 *
 * @throws {KvbenchError} If the address can't be had, or the device fails.
 */
export async function serve(engine: LiveEngine, model: ServedModel, options: ServerOptions): Promise<void> {
  const metrics = new Metrics(engine);
  const completions = new Completions(engine, model, metrics, options);
  const api = new Api({ completions, metrics, model }, options);
  const { url, door } = listen((request) => api.handle(request), options);
  metrics.observeDoor(door);
  options.onListen(url);
  const running = engine.run();
  try {
    await Promise.race([running, aborted(options.signal)]);
  } finally {
    api.draining = true;
    const answered = door.close();
    if (!await within(options.graceMs, answered)) {
      api.close();
      completions.cancelAll();
      // A client that does not read its answer is not waited for.
      if (!await within(LAST_WORDS_MS, answered)) door.breakOff();
    }
    engine.stop();
  }
  await running;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Whether something is done in time. */
async function within(ms: number, done: Promise<void>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(() => resolve(false), ms));
  return await Promise.race([done.then(() => true), late]).finally(() => clearTimeout(timer));
}
