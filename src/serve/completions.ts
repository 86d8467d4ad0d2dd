/**
 * `POST /v1/completions`: takes bodies, limits the completions under way, and writes answers, whole or as server-sent
 * events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 *
 * A whole answer gets its status when its completion is over: 503 if the server ends before, 500 if it fails. A streamed
 * answer has status 200 from its start; a failure ends it with an error event and without `[DONE]`. A client that leaves
 * aborts its request's signal or cancels its stream, which cancels the completion.
 */
import { NotFiniteError } from "../base/errors.ts";
import type { LiveEngine } from "../engine/live_engine.ts";
import { ApiError, serverFailure, unavailable } from "./api_error.ts";
import { Completion, type CompletionEvents } from "./completion.ts";
import { completionJob, invalid, parseCompletionBody, type ServedModel } from "./completion_job.ts";
import { EVENT_STREAM } from "./http_server.ts";
import type { CompletionOutcome, Metrics } from "./metrics.ts";

export interface CompletionLimits {
  /** Most completions under way. */
  readonly maxRequests: number;
  /** Most prompts that wait for their first step. */
  readonly maxWaiting: number;
}

/** Fields that every object of a completion begins with. */
interface Head {
  readonly id: string;
  readonly object: "text_completion";
  readonly created: number;
  readonly model: string;
}

/** Events that an answer is written from. A failure holds no more than the client may know. */
interface AnswerEvents extends Omit<CompletionEvents, "onFailure"> {
  onFailure(error: ApiError): void;
}

/** The completions of one engine. */
export class Completions {
  readonly #engine: LiveEngine;
  readonly #model: ServedModel;
  readonly #metrics: Metrics;
  readonly #limits: CompletionLimits;
  readonly #open = new Set<Completion>();
  #nextId = 0;

  /** Takes an engine that the caller runs. */
  constructor(engine: LiveEngine, model: ServedModel, metrics: Metrics, limits: CompletionLimits) {
    this.#engine = engine;
    this.#model = model;
    this.#metrics = metrics;
    this.#limits = limits;
  }

  /**
   * Answers a body.
   *
   * @param leaving Aborted when the client has left.
   * @throws {ApiError} If the body is refused, or a whole answer can't be finished.
   */
  async answer(json: unknown, leaving: AbortSignal): Promise<Response> {
    const body = parseCompletionBody(json);
    const job = completionJob(body, this.#model);
    this.#checkRoom(job.prompts.length);
    const completion = new Completion(job, {
      engine: this.#engine,
      tokenizer: this.#model.tokenizer,
      nextId: () => this.#nextId++,
    });
    for (const ids of job.prompts) {
      const { maxTokens: newTokens, samplings: { length: continuations } } = job;
      const refusal = this.#engine.refusal({ id: 0, promptTokens: ids.length, newTokens, continuations });
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
      : await this.#whole(completion, head, leaving);
  }

  /** Ends every completion under way, with an error. */
  cancelAll(): void {
    for (const completion of this.#open) completion.fail(unavailable("The server is shutting down"));
  }

  #checkRoom(nPrompts: number): void {
    const { maxRequests, maxWaiting } = this.#limits;
    if (nPrompts > maxWaiting) {
      throw invalid("prompt", `has ${nPrompts} prompts: expected at most ${maxWaiting}, which may wait`);
    }
    const busy = (what: string) =>
      new ApiError(429, `${what}, try again later`, {
        type: "rate_limit_error",
        code: "rate_limit_exceeded",
        headers: { "retry-after": "1" },
      });
    if (this.#open.size >= maxRequests) {
      throw busy(`${this.#open.size} requests are served, which is the limit`);
    }
    if (this.#engine.nWaiting + nPrompts > maxWaiting) {
      throw busy(`${this.#engine.nWaiting} prompts are waiting, and at most ${maxWaiting} may`);
    }
  }

  async #whole(completion: Completion, head: Head, leaving: AbortSignal): Promise<Response> {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    this.#start(completion, {
      onPiece: () => {},
      onEnd: () => {
        const choices = completion.choices.map((choice) => choice.whole());
        resolve(Response.json({ ...head, choices, usage: completion.usage }));
      },
      onFailure: reject,
    });
    const leave = () => {
      this.#cancel(completion);
      reject(unavailable("The client has left"));
    };
    leaving.addEventListener("abort", leave);
    if (leaving.aborted) leave();
    return await promise.finally(() => leaving.removeEventListener("abort", leave));
  }

  #streamed(completion: Completion, head: Head, includeUsage: boolean): Response {
    const encoder = new TextEncoder();
    const event = (data: object) => encoder.encode(`data: ${JSON.stringify(data)}\n\n`);
    const body = new ReadableStream<Uint8Array>({
      start: (controller) =>
        this.#start(completion, {
          onPiece: ({ index, finishReason: finish_reason }, { text, logprobs }) => {
            const choices = [{ index, text, logprobs, finish_reason }];
            controller.enqueue(event({ ...head, choices, ...(includeUsage && { usage: null }) }));
          },
          onEnd: () => {
            if (includeUsage) controller.enqueue(event({ ...head, choices: [], usage: completion.usage }));
            controller.enqueue(encoder.encode("data: [DONE]\n\n"));
            controller.close();
          },
          onFailure: (error) => {
            controller.enqueue(event(error));
            controller.close();
          },
        }),
      cancel: () => this.#cancel(completion),
    });
    const headers = { "content-type": EVENT_STREAM, "cache-control": "no-cache" };
    return new Response(body, { headers });
  }

  #start(completion: Completion, { onPiece, onEnd, onFailure }: AnswerEvents): void {
    this.#open.add(completion);
    try {
      completion.start({
        onPiece,
        onEnd: () => {
          this.#over(completion, "finished");
          onEnd();
        },
        onFailure: (error) => {
          this.#over(completion, "failed");
          onFailure(apiErrorOf(error));
        },
      });
    } catch (error) {
      this.#open.delete(completion);
      completion.cancel();
      throw error;
    }
  }

  /** Ends a completion that nobody waits for; does nothing after its end. */
  #cancel(completion: Completion): void {
    if (!this.#open.has(completion)) return;
    completion.cancel();
    this.#over(completion, "cancelled");
  }

  #over(completion: Completion, outcome: CompletionOutcome): void {
    this.#open.delete(completion);
    this.#metrics.completion(completion, outcome);
  }
}

/** Turns a failure into an error that tells the client nothing about the machine. */
function apiErrorOf(error: unknown): ApiError {
  if (error instanceof NotFiniteError) {
    console.error(`kvbench: A request failed: ${error.message}`);
    return new ApiError(500, "The model's logits are not finite for this request", {
      type: "server_error",
      code: "not_finite",
    });
  }
  return error instanceof ApiError ? error : serverFailure();
}
