/**
 * What a completion asks for, in the engine's terms: token ids in place of text, every default filled in.
 *
 * @module
 */
import type { Gpt2Config } from "../checkpoint/config.ts";
import type { Sampling } from "../model/sampling.ts";
import type { Tokenizer } from "../checkpoint/tokenizer.ts";
import { ApiError } from "./api_error.ts";
import { type CompletionBody, invalid } from "./completion_schema.ts";

/** The model as the API shows it. */
export interface ServedModel {
  /** Its name. */
  readonly name: string;
  /** Its dimensions. */
  readonly config: Pick<Gpt2Config, "nCtx" | "vocabSize" | "eosTokenId">;
  /** Its vocabulary. */
  readonly tokenizer: Tokenizer;
}

/** A completion to carry out. */
export interface CompletionJob {
  /** One or more. */
  readonly prompts: readonly (readonly number[])[];
  /** Tokens that each continuation gains at most. */
  readonly maxTokens: number;
  /** How tokens are chosen: one for each continuation of a prompt. */
  readonly samplings: readonly Sampling[];
  /** Texts before which a continuation ends. */
  readonly stops: readonly string[];
  /** Likeliest tokens to report with each token; no log-probabilities at all if undefined. */
  readonly topLogprobs: number | undefined;
  /** Whether texts begin with their prompts. */
  readonly echo: boolean;
  /** The id that ends a continuation; undefined where none does. */
  readonly eos: number | undefined;
}

/** What the API says is meant where `max_tokens` is left out. */
const DEFAULT_MAX_TOKENS = 16;
/** Text beyond so many characters for each token of the context is not even encoded, which takes time. */
const MAX_CHARACTERS_PER_TOKEN = 16;
/** A `top_p` of 0 leaves the likeliest token, which is what this leaves. */
const LEAST_TOP_P = 1e-6;

/**
 * Makes a job of a body.
 *
 * @throws {ApiError} If the model is another one, a token is not in its vocabulary, or a prompt is empty or does not
 * fit the context.
 */
export function completionJob(body: CompletionBody, model: ServedModel): CompletionJob {
  if (body.model !== model.name) {
    throw new ApiError(404, `The model '${body.model}' does not exist: this server has '${model.name}'`, {
      param: "model",
      code: "model_not_found",
    });
  }
  const prompts = promptsOf(body, model);
  const maxTokens = body.max_tokens ?? DEFAULT_MAX_TOKENS;
  for (const ids of prompts) checkPrompt(ids, maxTokens, model);
  const { stop } = body;
  return {
    prompts,
    maxTokens,
    samplings: samplingsOf(body),
    stops: typeof stop === "string" ? [stop] : stop ?? [],
    topLogprobs: body.logprobs ?? undefined,
    echo: body.echo ?? false,
    eos: body.ignore_eos ? undefined : model.config.eosTokenId,
  };
}

function promptsOf({ prompt }: CompletionBody, { config, tokenizer }: ServedModel): number[][] {
  // As the API has it: without a prompt, the model begins as if from the beginning of a new document.
  if (prompt == null) return [[config.eosTokenId]];
  const encode = (text: string) => {
    const most = MAX_CHARACTERS_PER_TOKEN * config.nCtx;
    if (text.length > most) {
      const what =
        `${text.length} characters are given, and the context of ${config.nCtx} tokens takes at most ${most}`;
      throw invalid("prompt", what, "context_length_exceeded");
    }
    return tokenizer.encode(text);
  };
  if (typeof prompt === "string") return [encode(prompt)];
  if (typeof prompt[0] === "number") return [prompt as number[]];
  return (prompt as (string | number[])[]).map((each) => typeof each === "string" ? encode(each) : each);
}

function checkPrompt(ids: readonly number[], maxTokens: number, { config }: ServedModel): void {
  if (ids.length === 0) throw invalid("prompt", "is empty");
  const unknown = ids.find((id) => id >= config.vocabSize);
  if (unknown !== undefined) {
    throw invalid(
      "prompt",
      `token id ${unknown} is not in the vocabulary: expected ids below ${config.vocabSize}`,
    );
  }
  const total = ids.length + maxTokens;
  if (total <= config.nCtx) return;
  throw new ApiError(
    400,
    `This model's maximum context length is ${config.nCtx} tokens, and ${total} tokens are asked for: ` +
      `${ids.length} in the prompt and ${maxTokens} for the completion`,
    { param: "max_tokens", code: "context_length_exceeded" },
  );
}

function samplingsOf({ temperature, top_p, top_k, seed, n }: CompletionBody): Sampling[] {
  const first = seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!;
  return Array.from({ length: n ?? 1 }, (_, i) => ({
    temperature: temperature ?? 1,
    topK: Math.max(0, top_k ?? 0), // vLLM's -1 is no limit too
    topP: Math.max(LEAST_TOP_P, top_p ?? 1),
    seed: Number(BigInt.asUintN(32, BigInt(first) + BigInt(i))),
  }));
}
