/**
 * A completion under way: its prompts are requests to the engine, its choices grow until all have ended.
 *
 * @module
 */
import type { LiveEngine } from "../engine/live_engine.ts";
import { prefixKeys } from "../kv/paged/prefix_keys.ts";
import { Choice, type Piece } from "./choice.ts";
import type { CompletionJob, ServedModel } from "./completion_job.ts";

/** What happens to a completion. */
export interface CompletionEvents {
  /** A choice has one more token. */
  onPiece(choice: Choice, piece: Piece): void;
  /** All choices have ended. */
  onEnd(): void;
  /** It ended before its time. */
  onFailure(error: unknown): void;
}

/** Tokens, as the API counts them. */
export interface Usage {
  /** Of all prompts. */
  readonly prompt_tokens: number;
  /** Of all choices. */
  readonly completion_tokens: number;
  /** Both. */
  readonly total_tokens: number;
}

/** What completions are carried out with. */
export interface CompletionParts {
  /** What computes. */
  readonly engine: LiveEngine;
  /** What is served. */
  readonly model: ServedModel;
  /** A number that no request of the engine has. */
  nextId(): number;
}

/** One or more prompts with one or more choices each. */
export class Completion {
  /** By prompt, then by continuation. */
  readonly choices: readonly Choice[];
  /** When it came, in ms of `performance.now()`. */
  readonly arrivalMs: number = performance.now();
  readonly #job: CompletionJob;
  readonly #parts: CompletionParts;
  /** Requests of the engine, one for each prompt. */
  readonly #ids: readonly number[];
  #open: number;
  #events: CompletionEvents | undefined;

  /** Begins when {@linkcode Completion.start} is called. */
  constructor(job: CompletionJob, parts: CompletionParts) {
    this.#job = job;
    this.#parts = parts;
    this.#ids = job.prompts.map(() => parts.nextId());
    const { tokenizer } = parts.model;
    const n = job.samplings.length;
    this.choices = job.prompts.flatMap((ids, p) =>
      job.samplings.map((_, i) =>
        new Choice(p * n + i, job, tokenizer, job.echo ? tokenizer.decode(ids) : "")
      )
    );
    this.#open = this.choices.length;
  }

  /** What it has cost so far. */
  get usage(): Usage {
    const prompt_tokens = this.#job.prompts.reduce((sum, { length }) => sum + length, 0);
    const completion_tokens = this.choices.reduce((sum, { nTokens }) => sum + nTokens, 0);
    return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
  }

  /**
   * Hands the prompts to the engine.
   *
   * @throws {KvbenchError} If one could never run, or the engine is stopping.
   */
  start(events: CompletionEvents): void {
    const { engine } = this.#parts;
    const { prompts, samplings, maxTokens, topLogprobs } = this.#job;
    const n = samplings.length;
    this.#events = events;
    prompts.forEach((ids, p) => {
      engine.submit({
        id: this.#ids[p]!,
        ids,
        promptTokens: ids.length,
        newTokens: maxTokens,
        continuations: n,
        samplings,
        topLogprobs,
        ...(engine.blockSize !== undefined && { prefix: prefixKeys(ids, engine.blockSize) }),
        onToken: (index, id, logprobs) => {
          const choice = this.choices[p * n + index]!;
          const piece = choice.push(id, performance.now(), logprobs);
          if (choice.finishReason !== null) {
            engine.end(this.#ids[p]!, index);
            this.#open--;
          }
          events.onPiece(choice, piece);
          if (this.#open === 0) this.#over()?.onEnd();
        },
        onFailure: (error) => this.fail(error),
      });
    });
  }

  /** Ends it and frees its memory; does nothing where it is over. */
  cancel(): void {
    this.#over();
    for (const id of this.#ids) this.#parts.engine.cancel(id);
  }

  /** Ends it with an error. */
  fail(error: unknown): void {
    const events = this.#over();
    this.cancel();
    events?.onFailure(error);
  }

  /** The events, once. */
  #over(): CompletionEvents | undefined {
    const events = this.#events;
    this.#events = undefined;
    return events;
  }
}
