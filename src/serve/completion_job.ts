/**
 * A completion as a client asks for it: the body of `POST /v1/completions`, as the API reference gives it
 * (https://platform.openai.com/docs/api-reference/completions/create) with vLLM's `top_k` and `ignore_eos`, and the job
 * that it stands for, with token ids in place of text and every default filled in. Parameters that kvbench can't honour,
 * and parameters that the API does not have, are refused.
 */
import { z } from "../base/zod.ts";
import type { Gpt2Config } from "../checkpoint/config.ts";
import type { Tokenizer } from "../checkpoint/tokenizer.ts";
import type { Sampling } from "../model/sampling.ts";
import { ApiError } from "./api_error.ts";

const tokenIds = z.array(z.int().nonnegative()).min(1);

/** A stop string: an empty one would end every completion at once. */
const stop = z.string().min(1, "expected at least one character");

/** A parameter that only its neutral value is accepted for. */
const only = (value: number) => z.literal(value, `only ${value} is supported`).nullish();

const schema = z.strictObject({
  model: z.string(),
  prompt: z.union([z.string(), z.array(z.string()).min(1), tokenIds, z.array(tokenIds).min(1)], {
    error: "expected a string, a list of strings, a list of token ids, or a list of such lists",
  }).nullish(),
  max_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(-1).max(2 ** 31).nullish(),
  n: z.int().min(1).max(128).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_usage: z.boolean().nullish() }).nullish(),
  logprobs: z.int().min(0).max(5).nullish(),
  echo: z.boolean().nullish(),
  stop: z.union([stop, z.array(stop).max(4)], {
    error: "expected a string, or a list of at most 4",
  }).nullish(),
  seed: z.int().nullish(),
  ignore_eos: z.boolean().nullish(),
  user: z.string().nullish(),
  best_of: z.int().nullish(),
  suffix: z.literal("", "is not supported").nullish(),
  logit_bias: z.strictObject({}, "is not supported").nullish(),
  presence_penalty: only(0),
  frequency_penalty: only(0),
  repetition_penalty: only(1),
});

/** A body that the schema accepts. */
export type CompletionBody = z.infer<typeof schema>;

/**
 * Checks a body against the schema.
 *
 * @throws {ApiError} With status 400, naming the first wrong parameter.
 */
export function parseCompletionBody(json: unknown): CompletionBody {
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw refusal(parsed.error.issues[0]!);
  const body = parsed.data;
  if (body.best_of != null && body.best_of !== (body.n ?? 1)) {
    throw invalid("best_of", "only the value of 'n' is supported");
  }
  if (body.stream_options != null && !body.stream) {
    throw invalid("stream_options", "is only allowed with 'stream'");
  }
  if (body.echo && body.logprobs != null) {
    throw invalid("echo", "is not supported together with 'logprobs'");
  }
  return body;
}

function refusal(issue: z.core.$ZodIssue): ApiError {
  if (issue.code === "unrecognized_keys") {
    const name = [...issue.path, issue.keys[0]].join(".");
    return new ApiError(400, `Unrecognized request argument supplied: ${name}`, { param: name });
  }
  if (issue.path.length === 0) return new ApiError(400, "The body is not a JSON object");
  return invalid(issue.path.join("."), issue.message.replace(/^Invalid input: |^Too \w+: /, ""));
}

/** Makes the error for a wrong parameter. */
export function invalid(param: string, what: string, code?: string): ApiError {
  return new ApiError(400, `Invalid '${param}': ${what}`, { param, ...(code !== undefined && { code }) });
}

/** The model as the API shows it. */
export interface ServedModel {
  readonly name: string;
  readonly config: Pick<Gpt2Config, "nCtx" | "vocabSize" | "eosTokenId">;
  readonly tokenizer: Tokenizer;
}

/** A completion to carry out. */
export interface CompletionJob {
  /** Token ids of one or more prompts. */
  readonly prompts: readonly (readonly number[])[];
  /** Most new tokens of each continuation. */
  readonly maxTokens: number;
  /** Sampling settings, one entry for each continuation of a prompt. */
  readonly samplings: readonly Sampling[];
  /** Stop strings: a continuation ends before the first that occurs. */
  readonly stops: readonly string[];
  /** Number of likeliest tokens to report with each token; undefined for no log-probabilities. */
  readonly topLogprobs: number | undefined;
  /** True if texts begin with their prompts. */
  readonly echo: boolean;
  /** Id of the end-of-text token; undefined if it does not end a continuation. */
  readonly eos: number | undefined;
}

/** The API's default of `max_tokens`. */
const DEFAULT_MAX_TOKENS = 16;
/** Longer texts can't fit the context, and are refused before they are encoded, which would take time. */
const MAX_CHARACTERS_PER_TOKEN = 16;
/** Stands for a `top_p` of 0: both leave the likeliest token alone. */
const LEAST_TOP_P = 1e-6;

/**
 * Turns a body into a job.
 *
 * @throws {ApiError} If the model is not the served one, a token id is outside the vocabulary, or a prompt is empty or
 * exceeds the context.
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
  if (prompt == null) {
    // The API's default prompt: the beginning of a new document.
    if (config.eosTokenId !== undefined) return [[config.eosTokenId]];
    throw invalid("prompt", "is missing, and this model has no token that ends a text and could begin one");
  }
  const encode = (text: string) => {
    const most = MAX_CHARACTERS_PER_TOKEN * config.nCtx;
    if (text.length > most) {
      const what =
        `has ${text.length} characters: expected at most ${most} for a context of ${config.nCtx} tokens`;
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
    topK: Math.max(0, top_k ?? 0), // -1 is vLLM's value for no limit
    topP: Math.max(LEAST_TOP_P, top_p ?? 1),
    seed: Number(BigInt.asUintN(32, BigInt(first) + BigInt(i))),
  }));
}
