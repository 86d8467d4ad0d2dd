/**
 * The body of `POST /v1/completions`, as the API reference gives it
 * (https://platform.openai.com/docs/api-reference/completions/create), with `top_k` and `ignore_eos` as vLLM has them.
 * What kvbench can't do is refused, and so is what the API does not know.
 *
 * @module
 */
import { z } from "../base/zod.ts";
import { ApiError } from "./api_error.ts";

const tokenIds = z.array(z.int().nonnegative()).min(1);

/** A text that ends a completion: every text begins with an empty one. */
const stop = z.string().min(1, "expected at least one character");

/** A number that is taken with one value only: the one that changes nothing. */
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

/** A body that has the right form. */
export type CompletionBody = z.infer<typeof schema>;

/**
 * Checks the form of a body.
 *
 * @throws {ApiError} With status 400, naming the first parameter that is wrong.
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

/** A parameter that is wrong. */
export function invalid(param: string, what: string, code?: string): ApiError {
  return new ApiError(400, `Invalid '${param}': ${what}`, { param, ...(code !== undefined && { code }) });
}
