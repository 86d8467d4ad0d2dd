/**
 * A completion under way: its prompts are requests to the engine, and its choices grow until all have ended.
 */
import type { Tokenizer } from "../checkpoint/tokenizer.ts";
import { Continuation } from "../engine/continuation.ts";
import type { LiveEngine, TokenLogprobs } from "../engine/live_engine.ts";
import { prefixKeys } from "../kv/prefix_keys.ts";
import type { CompletionJob } from "./completion_job.ts";

/** Log-probabilities of tokens, as the API reports them. */
interface ChoiceLogprobs {
  readonly tokens: string[];
  readonly token_logprobs: number[];
  /** For each token, the likeliest tokens and the token itself. */
  readonly top_logprobs: Record<string, number>[];
  /** Offset of each token's text in the choice's text. */
  readonly text_offset: number[];
}

/** The part of a choice that one token adds. */
interface Piece {
  /** Text that can be shown now. */
  readonly text: string;
  /** Null if no log-probabilities are asked for. */
  readonly logprobs: ChoiceLogprobs | null;
}

/** Events of a completion. */
export interface CompletionEvents {
  /** A choice has one more token. */
  onPiece(choice: Choice, piece: Piece): void;
  /** All choices have ended. */
  onEnd(): void;
  onFailure(error: unknown): void;
}

/** Token counts, as the API reports them. */
interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** One or more prompts with one or more choices each. */
export class Completion {
  /** Choices, by prompt and then by continuation. */
  readonly choices: readonly Choice[];
  /** Time of arrival, in ms of `performance.now()`. */
  readonly arrivalMs: number = performance.now();
  readonly #job: CompletionJob;
  readonly #engine: LiveEngine;
  /** Ids of the engine's requests, one for each prompt. */
  readonly #ids: readonly number[];
  #open: number;
  #events: CompletionEvents | undefined;

  /**
   * Prepares the choices; {@linkcode Completion.start} begins.
   *
   * @param nextId Returns an id that no request of the engine has.
   */
  constructor(
    job: CompletionJob,
    { engine, tokenizer, nextId }: {
      readonly engine: LiveEngine;
      readonly tokenizer: Tokenizer;
      nextId(): number;
    },
  ) {
    this.#job = job;
    this.#engine = engine;
    this.#ids = job.prompts.map(() => nextId());
    const n = job.samplings.length;
    this.choices = job.prompts.flatMap((ids, p) =>
      job.samplings.map((_, i) => new Choice(p * n + i, job, tokenizer, ids))
    );
    this.#open = this.choices.length;
  }

  get usage(): Usage {
    const prompt_tokens = this.#job.prompts.reduce((sum, { length }) => sum + length, 0);
    const completion_tokens = this.choices.reduce((sum, { nTokens }) => sum + nTokens, 0);
    return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
  }

  /**
   * Submits the prompts to the engine.
   *
   * @throws {KvbenchError} If one could never run, or the engine is stopping.
   */
  start(events: CompletionEvents): void {
    const { prompts, samplings, maxTokens, topLogprobs } = this.#job;
    const { blockSize } = this.#engine;
    this.#events = events;
    prompts.forEach((ids, p) => {
      this.#engine.submit({
        id: this.#ids[p]!,
        ids,
        promptTokens: ids.length,
        newTokens: maxTokens,
        continuations: samplings.length,
        samplings,
        topLogprobs,
        ...(blockSize !== undefined && { prefix: prefixKeys(ids, blockSize) }),
        onToken: (index, id, logprobs) => {
          const choice = this.choices[p * samplings.length + index]!;
          const piece = choice.push(id, performance.now(), logprobs);
          if (choice.finishReason !== null) {
            this.#engine.end(this.#ids[p]!, index);
            this.#open--;
          }
          events.onPiece(choice, piece);
          if (this.#open === 0) this.#over()?.onEnd();
        },
        onFailure: (error) => this.fail(error),
      });
    });
  }

  /** Ends it and frees its K/V memory; does nothing after the end. */
  cancel(): void {
    this.#over();
    for (const id of this.#ids) this.#engine.cancel(id);
  }

  /** Ends it with an error. */
  fail(error: unknown): void {
    const events = this.#over();
    this.cancel();
    events?.onFailure(error);
  }

  /** Returns the events, at the first call only. */
  #over(): CompletionEvents | undefined {
    const events = this.#events;
    this.#events = undefined;
    return events;
  }
}

/** One choice of a completion while it grows: its text, and its tokens' log-probabilities. */
class Choice {
  /** Place among the completion's choices. */
  readonly index: number;
  /** Times of the first and the last token, in ms; NaN before. */
  readonly times: { first: number; last: number } = { first: NaN, last: NaN };
  readonly #tokenizer: Tokenizer;
  readonly #job: CompletionJob;
  /** Text of the prompt if the choice begins with it, else empty. */
  readonly #prompt: string;
  readonly #promptIds: readonly number[];
  readonly #continuation: Continuation;
  readonly #logprobs: ChoiceLogprobs | null;

  /** @param promptIds The prompt that it continues. */
  constructor(index: number, job: CompletionJob, tokenizer: Tokenizer, promptIds: readonly number[]) {
    this.index = index;
    this.#job = job;
    this.#tokenizer = tokenizer;
    this.#promptIds = promptIds;
    this.#prompt = job.echo ? tokenizer.decode(promptIds) : "";
    this.#continuation = new Continuation(tokenizer, job.stops, promptIds);
    this.#logprobs = job.topLogprobs === undefined
      ? null
      : { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
  }

  /** The API's name of the reason for the end; null while the choice grows. */
  get finishReason(): "stop" | "length" | null {
    const { finishReason } = this.#continuation;
    return finishReason === undefined ? null : finishReason === "length" ? "length" : "stop";
  }

  /** New tokens so far. */
  get nTokens(): number {
    return this.#continuation.ids.length;
  }

  /** The choice so far, as a whole answer holds it. */
  whole(): object {
    const { index, finishReason } = this;
    const text = this.#prompt + this.#continuation.text;
    return { index, text, logprobs: this.#logprobs, finish_reason: finishReason };
  }

  /** Appends a token, and ends the choice if it is the last one. */
  push(id: number, nowMs: number, logprobs: TokenLogprobs | undefined): Piece {
    const isFirst = this.nTokens === 0;
    if (isFirst) this.times.first = nowMs;
    this.times.last = nowMs;
    const offset = this.#prompt.length + this.#continuation.decoded;
    let text = this.#continuation.push(id, this.#job.eos);
    if (this.nTokens === this.#job.maxTokens) text += this.#continuation.end("length");
    if (isFirst) text = this.#prompt + text;
    if (logprobs === undefined || this.#logprobs === null) return { text, logprobs: null };
    const own = this.#logprobsOf(id, logprobs, offset);
    for (const key of Object.keys(own) as (keyof ChoiceLogprobs)[]) {
      (this.#logprobs[key] as unknown[]).push(...own[key]);
    }
    return { text, logprobs: own };
  }

  #logprobsOf(id: number, { chosen, top }: TokenLogprobs, offset: number): ChoiceLogprobs {
    const previous = this.#continuation.ids.at(-2) ?? this.#promptIds.at(-1);
    const own = this.#textOf(id, previous);
    const others = top.map(({ id, logprob }) => [this.#textOf(id, previous), logprob] as const);
    return {
      tokens: [own],
      token_logprobs: [chosen],
      top_logprobs: [{ ...Object.fromEntries(others), [own]: chosen }],
      text_offset: [offset],
    };
  }

  /** A token's text behind another; its bytes, written as OpenAI's server does, if it is a part of a character. */
  #textOf(id: number, previous: number | undefined): string {
    const bytes = this.#tokenizer.bytes(id, previous);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return "bytes:" + [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
    }
  }
}
