/** A server over one engine: listens, answers, and shuts down in order. */
import type { LiveEngine } from "../engine/live_engine.ts";
import { Api, type ApiOptions } from "./api.ts";
import type { ServedModel } from "./completion_job.ts";
import { type CompletionLimits, Completions } from "./completions.ts";
import { type HttpServerOptions, listen } from "./http_server.ts";
import { Metrics } from "./metrics.ts";

/** Time for the last answers to be sent, in ms. */
const LAST_ANSWERS_MS = 1000;

/** Address, limits and end of a server. */
export interface ServerOptions extends ApiOptions, CompletionLimits, HttpServerOptions {
  /** Shuts the server down when it is aborted. */
  readonly signal: AbortSignal;
  /** Time for requests under way after that, in ms. */
  readonly graceMs: number;
  /** Called with the address once the server listens. */
  onListen(url: string): void;
}

/**
 * Serves until the signal is aborted. From then on no request is taken; those under way are finished, or cancelled after
 * the grace period. The engine has stopped when this returns; the caller disposes of it.
 *
 * @throws {KvbenchError} If the address is not available, or the device fails.
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
      // Nobody waits for a client that does not read its answer.
      if (!await within(LAST_ANSWERS_MS, answered)) door.breakOff();
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

/** Tells whether a promise resolves in time. */
async function within(ms: number, done: Promise<void>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(() => resolve(false), ms));
  return await Promise.race([done.then(() => true), late]).finally(() => clearTimeout(timer));
}
