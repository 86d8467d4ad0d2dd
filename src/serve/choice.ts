/**
 * One choice of a completion while it grows: its text, and the log-probabilities of its tokens.
 *
 * @module
 */
import { Continuation } from "../engine/continuation.ts";
import type { TokenLogprobs } from "../engine/live_engine.ts";
import type { Tokenizer } from "../checkpoint/tokenizer.ts";
import type { CompletionJob } from "./completion_job.ts";

/** Log-probabilities of tokens, as the API has them. */
export interface ChoiceLogprobs {
  /** Texts of the tokens. */
  readonly tokens: string[];
  /** Log-probabilities of the tokens. */
  readonly token_logprobs: number[];
  /** By token, those of the likeliest ones and its own. */
  readonly top_logprobs: Record<string, number>[];
  /** By token, where its text begins in the choice's text. */
  readonly text_offset: number[];
}

/** What a token adds to a choice. */
export interface Piece {
  /** Text that can be shown now. */
  readonly text: string;
  /** Of the token; null where none were asked for. */
  readonly logprobs: ChoiceLogprobs | null;
}

/** Grows token by token. */
export class Choice {
  /** Among the completion's choices. */
  readonly index: number;
  /** When its first and its last token came, in ms; NaN before. */
  readonly times: { first: number; last: number } = { first: NaN, last: NaN };
  readonly #tokenizer: Tokenizer;
  readonly #job: CompletionJob;
  readonly #prompt: string;
  readonly #continuation: Continuation;
  readonly #logprobs: ChoiceLogprobs | null;

  /** @param prompt Where its text begins with the prompt; empty otherwise. */
  constructor(index: number, job: CompletionJob, tokenizer: Tokenizer, prompt: string) {
    this.index = index;
    this.#job = job;
    this.#tokenizer = tokenizer;
    this.#prompt = prompt;
    this.#continuation = new Continuation(tokenizer, job.stops);
    this.#logprobs = job.topLogprobs === undefined ? null : noLogprobs();
  }

  /** Why it ended, as the API says it; null while it grows. */
  get finishReason(): "stop" | "length" | null {
    const { finishReason } = this.#continuation;
    return finishReason === undefined ? null : finishReason === "length" ? "length" : "stop";
  }

  /** Tokens that it gained. */
  get nTokens(): number {
    return this.#continuation.ids.length;
  }

  /** The choice so far, as the API shows it whole. */
  whole(): object {
    const { index, finishReason } = this;
    const text = this.#prompt + this.#continuation.text;
    return { index, text, logprobs: this.#logprobs, finish_reason: finishReason };
  }

  /** Takes a token; ends the choice where it is the last one. */
  push(id: number, nowMs: number, logprobs: TokenLogprobs | undefined): Piece {
    const isFirst = this.nTokens === 0;
    if (isFirst) this.times.first = nowMs;
    this.times.last = nowMs;
    const offset = this.#prompt.length + this.#continuation.decoded;
    let text = this.#continuation.push(id, this.#job.eos);
    if (this.nTokens === this.#job.maxTokens) text += this.#continuation.end("length");
    if (isFirst) text = this.#prompt + text;
    if (logprobs === undefined || this.#logprobs === null) return { text, logprobs: null };
    const mine = this.#logprobsOf(id, logprobs, offset);
    for (const key of Object.keys(mine) as (keyof ChoiceLogprobs)[]) {
      (this.#logprobs[key] as unknown[]).push(...mine[key]);
    }
    return { text, logprobs: mine };
  }

  #logprobsOf(id: number, { chosen, top }: TokenLogprobs, offset: number): ChoiceLogprobs {
    const own = this.#textOf(id);
    const others = top.map(({ id, logprob }) => [this.#textOf(id), logprob] as const);
    return {
      tokens: [own],
      token_logprobs: [chosen],
      top_logprobs: [{ ...Object.fromEntries(others), [own]: chosen }],
      text_offset: [offset],
    };
  }

  /** A token's text or, where it is part of a character, its bytes, written as OpenAI's server does. */
  #textOf(id: number): string {
    const bytes = this.#tokenizer.bytes(id);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return "bytes:" + [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
    }
  }
}

function noLogprobs(): ChoiceLogprobs {
  return { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
}
