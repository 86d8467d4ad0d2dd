/**
 * The dimensions of a GPT-2 model: read from a Hugging Face `config.json` and checked, so that every configuration
 * elsewhere is one that the kernels can run. Knows no tensors and no files.
 */
import { z } from "../base/zod.ts";
import { KvbenchError, UsageError } from "../base/errors.ts";

/** The dimensions of a GPT-2 model. Keys are those of `config.json` in camelCase. */
export interface Gpt2Config {
  /** Rows of the token embedding, and logits of a position. */
  readonly vocabSize: number;
  /** The longest sequence, in tokens. */
  readonly nCtx: number;
  /** Width of the residual stream. */
  readonly nEmbd: number;
  /** Attention heads of a layer. */
  readonly nHead: number;
  /** Transformer layers. */
  readonly nLayer: number;
  /** Width inside the MLP. */
  readonly nInner: number;
  /** Added to the variance in a layer norm. */
  readonly layerNormEpsilon: number;
  /** Id of the token that starts a text. */
  readonly bosTokenId: number | undefined;
  /** Id of the token that ends a text; undefined if no token does. */
  readonly eosTokenId: number | undefined;
  /** Width of one head: nEmbd / nHead. */
  readonly headDim: number;
  /** True if the token embedding is the head too; otherwise the head is a matrix of its own. */
  readonly tieWordEmbeddings: boolean;
}

/** Names of the published GPT-2 models. */
export type PresetName = "distilgpt2" | "gpt2" | "gpt2-medium" | "gpt2-large" | "gpt2-xl";

/** Configurations of the published GPT-2 models, smallest first. */
export const PRESETS: Readonly<Record<PresetName, Gpt2Config>> = {
  "distilgpt2": preset(6, 12, 768),
  "gpt2": preset(12, 12, 768),
  "gpt2-medium": preset(24, 16, 1024),
  "gpt2-large": preset(36, 20, 1280),
  "gpt2-xl": preset(48, 25, 1600),
};

/**
 * Reads a Hugging Face `config.json`. Keys that don't change the forward pass are ignored; the others are in `Schema`,
 * each with the values that kvbench computes.
 *
 * @param json The parsed file.
 * @param source Name of the file in messages.
 * @throws {KvbenchError} If a key is missing or out of range, or asks for a variant of GPT-2 that kvbench doesn't run.
 */
export function parseConfig(json: unknown, source: string): Gpt2Config {
  const parsed = Schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const path = issue?.path ?? [];
    if (path.length === 0) throw new KvbenchError(`Cannot use ${source}: expected a JSON object`);
    throw refusal(source, String(path[0]), valueAt(json, path), issue?.message ?? "expected something else");
  }
  const keys = parsed.data;

  const nCtx = keys.n_positions ?? keys.n_ctx;
  if (nCtx === undefined) {
    throw refusal(source, "n_positions", undefined, expectedInteger(LIMITS.n_positions));
  }
  if (keys.n_ctx !== undefined && keys.n_ctx !== nCtx) {
    throw refusal(source, "n_ctx", keys.n_ctx, `expected n_positions, ${nCtx}`);
  }
  if (keys.n_embd % keys.n_head !== 0) {
    throw refusal(source, "n_embd", keys.n_embd, `expected a multiple of n_head, ${keys.n_head}`);
  }
  for (const [alias, key] of ALIASES) {
    const own = key === "n_positions" ? nCtx : keys[key];
    if (keys[alias] !== undefined && keys[alias] !== own) {
      throw refusal(source, alias, keys[alias], `expected ${key}, ${own}`);
    }
  }
  const minHeads = Math.ceil(keys.n_embd / MAX_HEAD_DIM);
  if (keys.n_head < minHeads) {
    const expected = `expected at least ${minHeads}, for heads of at most ${MAX_HEAD_DIM} elements`;
    throw refusal(source, "n_head", keys.n_head, expected);
  }
  const specialId = (key: "bos_token_id" | "eos_token_id"): number | undefined => {
    const id = keys[key] ?? DEFAULT_TOKEN_ID;
    if (id < keys.vocab_size) return id;
    if (keys[key] == null) return undefined;
    throw refusal(source, key, id, `expected an id below vocab_size, ${keys.vocab_size}`);
  };
  return {
    vocabSize: keys.vocab_size,
    nCtx,
    nEmbd: keys.n_embd,
    nHead: keys.n_head,
    nLayer: keys.n_layer,
    nInner: keys.n_inner ?? 4 * keys.n_embd,
    layerNormEpsilon: keys.layer_norm_epsilon,
    bosTokenId: specialId("bos_token_id"),
    eosTokenId: specialId("eos_token_id"),
    headDim: keys.n_embd / keys.n_head,
    tieWordEmbeddings: keys.tie_word_embeddings ?? true,
  };
}

/** Counts a model's parameters; a tied head counts once. */
export function parameterCount(config: Gpt2Config): number {
  const { vocabSize, nCtx, nEmbd, nInner, nLayer, tieWordEmbeddings } = config;
  const norm = 2 * nEmbd;
  const attention = linear(nEmbd, 3 * nEmbd) + linear(nEmbd, nEmbd);
  const mlp = linear(nEmbd, nInner) + linear(nInner, nEmbd);
  const embeddings = ((tieWordEmbeddings ? 1 : 2) * vocabSize + nCtx) * nEmbd;
  return embeddings + nLayer * (2 * norm + attention + mlp) + norm;
}

function linear(inputs: number, outputs: number): number {
  return inputs * outputs + outputs;
}

function preset(nLayer: number, nHead: number, nEmbd: number): Gpt2Config {
  return {
    vocabSize: 50257,
    nCtx: 1024,
    nEmbd,
    nHead,
    nLayer,
    nInner: 4 * nEmbd,
    layerNormEpsilon: 1e-5,
    bosTokenId: 50256,
    eosTokenId: 50256,
    headDim: nEmbd / nHead,
    tieWordEmbeddings: true,
  };
}

/** Token id that `transformers` assumes if a config names none. A smaller vocabulary has no such token. */
const DEFAULT_TOKEN_ID = 50256;

/** The widest head that fits the attention kernels' workgroup memory. */
const MAX_HEAD_DIM = 256;

/** Largest accepted values: far above any GPT-2, and far below an overflow of byte counts. */
const LIMITS = {
  vocab_size: 1_000_000,
  n_ctx: 1_000_000,
  n_positions: 1_000_000,
  n_embd: 65_536,
  n_head: 1024,
  n_layer: 1024,
  n_inner: 262_144,
} as const;

const Schema = z.object({
  model_type: oneOf("gpt2").optional(),
  architectures: z.array(z.string()).nullish().refine(
    (names) => (names ?? []).every((name) => name === "GPT2LMHeadModel" || name === "GPT2Model"),
    { error: "expected GPT2LMHeadModel or GPT2Model" },
  ),
  activation_function: oneOf("gelu_new", "gelu_pytorch_tanh").optional(),
  vocab_size: integer("vocab_size"),
  n_ctx: integer("n_ctx").optional(),
  n_positions: integer("n_positions").optional(),
  n_embd: integer("n_embd"),
  n_head: integer("n_head"),
  n_layer: integer("n_layer"),
  n_inner: integer("n_inner").nullish(),
  layer_norm_epsilon: epsilon(),
  bos_token_id: tokenId(),
  eos_token_id: tokenId(),
  tie_word_embeddings: z.boolean({ error: "expected true or false" }).optional(),
  // Other names of sizes, which `transformers` accepts too.
  hidden_size: z.unknown().optional(),
  max_position_embeddings: z.unknown().optional(),
  num_attention_heads: z.unknown().optional(),
  num_hidden_layers: z.unknown().optional(),
  // Other values of these change the forward pass or the meaning of tensors. reorder_and_upcast_attn does not: it is
  // about float16 alone.
  scale_attn_weights: only(true),
  scale_attn_by_inverse_layer_idx: only(false),
  add_cross_attention: only(false),
  is_encoder_decoder: only(false),
  pruned_heads: none("every layer has all its heads"),
  quantization_config: none("kvbench reads float weights, and packs them itself"),
  compression_config: none("kvbench reads float weights, and packs them itself"),
  auto_map: z.unknown().optional().refine(
    (map) => !Object.keys(map ?? {}).some((key) => /^Auto(Model|Config)/.test(key)),
    {
      error: "expected no code of the model's own, which kvbench does not run",
    },
  ),
});

/** Aliases of keys, each with the key that it stands for. */
const ALIASES = [
  ["hidden_size", "n_embd"],
  ["max_position_embeddings", "n_positions"],
  ["num_attention_heads", "n_head"],
  ["num_hidden_layers", "n_layer"],
] as const;

function epsilon() {
  const error = "expected a number above 0, at most 0.1";
  return z.number({ error }).gt(0, { error }).max(0.1, { error }).default(1e-5);
}

function integer(key: keyof typeof LIMITS) {
  const error = expectedInteger(LIMITS[key]);
  return z.int({ error }).min(1, { error }).max(LIMITS[key], { error });
}

function tokenId() {
  const error = "expected a token id";
  return z.int({ error }).min(0, { error }).nullish();
}

function oneOf<const Names extends readonly string[]>(...names: Names) {
  return z.enum(names, { error: `expected ${names.join(" or ")}` });
}

function only<const Value extends boolean>(value: Value) {
  return z.literal(value, { error: `expected ${value}` }).optional();
}

/** Accepts nothing, or an empty list or object. */
function none(reason: string) {
  return z.unknown().optional().refine(
    (value) => value == null || (typeof value === "object" && Object.keys(value).length === 0),
    { error: `expected none: ${reason}` },
  );
}

function expectedInteger(max: number): string {
  return `expected an integer from 1 to ${max}`;
}

function refusal(source: string, key: string, value: unknown, expected: string): KvbenchError {
  const shown = value === undefined ? "missing" : shorten(JSON.stringify(value));
  return new KvbenchError(`Cannot use ${source}: ${key} is ${shown}, ${expected}`);
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

/** Returns the top-level value that an issue is about. */
function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  return Object.entries(json as object).find(([key]) => key === path[0])?.[1];
}

/**
 * Checks that ids are in a vocabulary.
 *
 * @throws {UsageError} Naming the first id that isn't.
 */
export function checkIds(ids: readonly number[], vocabSize: number): void {
  const bad = ids.find((id) => id >= vocabSize);
  if (bad === undefined) return;
  throw new UsageError(`Token id ${bad} is not in the vocabulary: expected ids below ${vocabSize}`);
}

/**
 * Checks that a prompt and its new tokens fit a model's context.
 *
 * @throws {UsageError} With all the numbers.
 */
export function checkContext(promptTokens: number, newTokens: number, nCtx: number): void {
  const total = promptTokens + newTokens;
  if (total <= nCtx) return;
  throw new UsageError(
    `${promptTokens} prompt tokens and ${newTokens} new tokens make ${total}: ` +
      `the model's context is ${nCtx} tokens, the positions that it has learned`,
  );
}
