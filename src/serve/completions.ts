/**
 * `POST /v1/completions`: takes bodies, limits how many are served, and writes answers, whole or as server-sent events
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 *
 * An answer's body is a stream in both cases, because that is how a server learns that its client has left: the stream
 * is cancelled, and the completion with it.
 *
 * @module
 */
import { NotFiniteError } from "../errors.ts";
import type { LiveEngine } from "../engine/live_engine.ts";
import { ApiError, unavailable } from "./api_error.ts";
import { Completion, type CompletionEvents } from "./completion.ts";
import { completionJob, type ServedModel } from "./completion_job.ts";
import { invalid, parseCompletionBody } from "./completion_schema.ts";
import type { CompletionOutcome, Metrics } from "./metrics.ts";

/** How much is taken at once. */
export interface CompletionLimits {
  /** Completions under way. */
  readonly maxRequests: number;
  /** Prompts that wait for their first step. */
  readonly maxWaiting: number;
}

/** What every object of a completion begins with. */
interface Head {
  readonly id: string;
  readonly object: "text_completion";
  readonly created: number;
  readonly model: string;
}

/** Serves completions from one engine. */
export class Completions {
  readonly #engine: LiveEngine;
  readonly #model: ServedModel;
  readonly #metrics: Metrics;
  readonly #limits: CompletionLimits;
  readonly #open = new Set<Completion>();
  #nextId = 0;

  /** The engine is run by someone else. */
  constructor(engine: LiveEngine, model: ServedModel, metrics: Metrics, limits: CompletionLimits) {
    this.#engine = engine;
    this.#model = model;
    this.#metrics = metrics;
    this.#limits = limits;
  }

  /** Completions under way. */
  get nOpen(): number {
    return this.#open.size;
  }

  /**
   * Answers a body.
   *
   * @throws {ApiError} If it is refused.
   */
  answer(json: unknown): Response {
    const body = parseCompletionBody(json);
    const job = completionJob(body, this.#model);
    this.#checkRoom(job.prompts.length);
    const completion = new Completion(job, {
      engine: this.#engine,
      model: this.#model,
      nextId: () => this.#nextId++,
    });
    for (const ids of job.prompts) {
      const request = {
        id: 0,
        promptTokens: ids.length,
        newTokens: job.maxTokens,
        continuations: job.samplings.length,
      };
      const refusal = this.#engine.refusal(request);
      if (refusal !== undefined) throw new ApiError(400, `This request can never run: ${refusal}`);
    }
    const head: Head = {
      id: `cmpl-${crypto.randomUUID().replaceAll("-", "")}`,
      object: "text_completion",
      created: Math.floor(Date.now() / 1000),
      model: this.#model.name,
    };
    return body.stream
      ? this.#streamed(completion, head, body.stream_options?.include_usage ?? false)
      : this.#whole(completion, head);
  }

  /** Ends everything that is under way. */
  cancelAll(): void {
    for (const completion of this.#open) completion.fail(unavailable("The server is shutting down"));
  }

  #checkRoom(nPrompts: number): void {
    const { maxRequests, maxWaiting } = this.#limits;
    if (nPrompts > maxWaiting) {
      throw invalid("prompt", `${nPrompts} prompts are given, and at most ${maxWaiting} may wait`);
    }
    const busy = (what: string) =>
      new ApiError(429, `${what}, try again later`, {
        type: "rate_limit_error",
        code: "rate_limit_exceeded",
        headers: { "retry-after": "1" },
      });
    if (this.nOpen >= maxRequests) throw busy(`${this.nOpen} requests are served, which is the limit`);
    if (this.#engine.nWaiting + nPrompts > maxWaiting) {
      throw busy(`${this.#engine.nWaiting} prompts are waiting, and at most ${maxWaiting} may`);
    }
  }

  #whole(completion: Completion, head: Head): Response {
    const body = this.#body(completion, (send) => ({
      onPiece: () => {},
      onEnd: () => {
        const choices = completion.choices.map((choice) => choice.whole());
        send(JSON.stringify({ ...head, choices, usage: completion.usage }));
      },
      onFailure: (error) => send(JSON.stringify(apiErrorOf(error))),
    }));
    return new Response(body, { headers: { "content-type": "application/json" } });
  }

  #streamed(completion: Completion, head: Head, includeUsage: boolean): Response {
    const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
    const body = this.#body(completion, (send) => ({
      onPiece: ({ index, finishReason: finish_reason }, { text, logprobs }) => {
        const choices = [{ index, text, logprobs, finish_reason }];
        send(event({ ...head, choices, ...(includeUsage && { usage: null }) }));
      },
      onEnd: () => {
        if (includeUsage) send(event({ ...head, choices: [], usage: completion.usage }));
        send("data: [DONE]\n\n");
      },
      onFailure: (error) => send(event(apiErrorOf(error))),
    }));
    const headers = { "content-type": "text/event-stream", "cache-control": "no-cache" };
    return new Response(body, { headers });
  }

  /** A body that what happens to the completion is written to, and whose reader's leaving ends the completion. */
  #body(
    completion: Completion,
    eventsFor: (send: (text: string) => void) => CompletionEvents,
  ): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder();
    let hasReader = true; // enqueuing may be when it turns out that it has none
    const over = (outcome: CompletionOutcome) => {
      this.#open.delete(completion);
      this.#metrics.completion(completion, outcome);
    };
    return new ReadableStream({
      start: (controller) => {
        const { onPiece, onEnd, onFailure } = eventsFor((text) => {
          if (hasReader) controller.enqueue(encoder.encode(text));
        });
        const end = (outcome: CompletionOutcome) => {
          if (!hasReader) return;
          controller.close();
          over(outcome);
        };
        completion.start({
          onPiece,
          onEnd: () => {
            onEnd();
            end("finished");
          },
          onFailure: (error) => {
            onFailure(error);
            end("failed");
          },
        });
        this.#open.add(completion);
      },
      cancel: () => {
        hasReader = false;
        completion.cancel();
        over("cancelled");
      },
    });
  }
}

/** What the client is told: nothing of the machine's inside. */
function apiErrorOf(error: unknown): ApiError {
  if (error instanceof NotFiniteError) {
    console.error(`kvbench: A request failed: ${error.message}`);
    return new ApiError(500, "The model's logits are not finite for this request", {
      type: "server_error",
      code: "not_finite",
    });
  }
  return error instanceof ApiError ? error : unavailable("The server has failed");
}
