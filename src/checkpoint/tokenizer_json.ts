/**
 * A vocabulary in the form of Hugging Face's `tokenizer.json`: read from that file, or made of the older files of BERT's
 * and GPT-2's tokenizers, with the settings that `transformers` has for them.
 */
import { z } from "../base/zod.ts";
import { KvbenchError } from "../base/errors.ts";
import { parseJson, type VocabularyFiles } from "./checkpoint.ts";

/** A token beside the model's: a special one, mostly. */
interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean | undefined;
  readonly normalized?: boolean | undefined;
  /** True if it takes the spaces before it along, or those after it. */
  readonly lstrip?: boolean | undefined;
  readonly rstrip?: boolean | undefined;
}

/** A part of a tokenizer: its type, and settings. */
export type Part = { readonly type: string; readonly [setting: string]: unknown };

/** The parts that kvbench looks at. The rest is the package's. */
export interface TokenizerJson {
  readonly added_tokens: readonly AddedToken[];
  readonly normalizer: Part | null;
  readonly pre_tokenizer: Part | null;
  readonly post_processor: Part | null;
  readonly decoder: Part | null;
  readonly model: {
    readonly type?: string | undefined;
    /** Ids by token, or tokens in the order of their ids with their scores. */
    readonly vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[];
    readonly [setting: string]: unknown;
  };
}

const part = z.looseObject({ type: z.string() }).nullish().transform((value) => value ?? null);
const id = z.int().min(0);
const TokenizerSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id, content: z.string(), special: z.boolean().optional() })).nullish()
    .transform((value) => value ?? []),
  normalizer: part,
  pre_tokenizer: part,
  post_processor: part,
  decoder: part,
  model: z.looseObject({
    type: z.string().optional(),
    vocab: z.union([z.record(z.string(), id), z.array(z.tuple([z.string(), z.number()]))]),
  }),
});

/** Files that hold a vocabulary, the most telling first. */
export const VOCABULARIES: readonly (readonly string[])[] = [
  ["tokenizer.json"],
  ["vocab.txt"],
  ["vocab.json", "merges.txt"],
];
/** The file that may hold settings of a tokenizer. */
export const TOKENIZER_CONFIG = "tokenizer_config.json";

/**
 * Reads a vocabulary.
 *
 * @throws {KvbenchError} If a file is not what its name says, or belongs to a tokenizer of another kind.
 */
export function readVocabulary({ texts, folder }: VocabularyFiles): { json: TokenizerJson; name: string } {
  const own = texts["tokenizer.json"], bert = texts["vocab.txt"], bpe = texts["vocab.json"];
  if (own !== undefined) {
    const name = `${folder}/tokenizer.json`;
    return { json: checked(parseJson(own, name), name), name };
  }
  const config = configOf(texts[TOKENIZER_CONFIG], `${folder}/${TOKENIZER_CONFIG}`);
  if (bert !== undefined) {
    expectClass(config, "BertTokenizer", `${folder}/${TOKENIZER_CONFIG}`);
    return { json: bertTokenizer(bert, config), name: `${folder}/vocab.txt` };
  }
  expectClass(config, "GPT2Tokenizer", `${folder}/${TOKENIZER_CONFIG}`);
  const name = `${folder}/vocab.json`;
  return { json: checked(gpt2Tokenizer(parseJson(bpe!, name), texts["merges.txt"]!, config), name), name };
}

/** Ids by token, in any form of a vocabulary. */
export function idsOf({ model, added_tokens }: TokenizerJson): Map<string, number> {
  const own = Array.isArray(model.vocab)
    ? model.vocab.map(([token]: readonly [string, number], i: number) => [token, i] as const)
    : Object.entries(model.vocab as Readonly<Record<string, number>>);
  return new Map([...own, ...added_tokens.map(({ content, id }) => [content, id] as const)]);
}

function checked(json: unknown, name: string): TokenizerJson {
  const parsed = TokenizerSchema.safeParse(json);
  if (parsed.success) return parsed.data as TokenizerJson;
  const [issue] = parsed.error.issues;
  throw new KvbenchError(
    `Cannot use ${name}: ${
      issue?.path.join(".") || "it"
    } is not as in a tokenizer.json, expected a vocabulary of ids by token`,
  );
}

type Config = Readonly<Record<string, unknown>>;

function configOf(text: string | undefined, name: string): Config {
  const json = text === undefined ? {} : parseJson(text, name);
  if (json !== null && typeof json === "object" && !Array.isArray(json)) return json as Config;
  throw new KvbenchError(`Cannot use ${name}: expected a JSON object`);
}

/** Refuses the vocabulary of a tokenizer that has the same files and other rules. */
function expectClass({ tokenizer_class: found }: Config, expected: string, name: string): void {
  if (found == null || found === expected || found === `${expected}Fast`) return;
  throw new KvbenchError(
    `Cannot use ${name}: tokenizer_class is ${
      JSON.stringify(found)
    }, expected ${expected} or a tokenizer.json`,
  );
}

/** A special token's text, which is stored bare or as an object. */
function tokenOf(value: unknown, otherwise: string): string {
  if (typeof value === "string") return value;
  const content = (value as { content?: unknown } | null | undefined)?.content;
  return typeof content === "string" ? content : otherwise;
}

function specialTokens(
  vocab: Readonly<Record<string, number>>,
  config: Config,
  names: Readonly<Record<string, string>>,
): AddedToken[] {
  const contents = new Set(Object.entries(names).map(([key, usual]) => tokenOf(config[key], usual)));
  return [...contents].filter((content) => Object.hasOwn(vocab, content))
    .map((content) => ({ id: vocab[content]!, content, special: true, normalized: false }));
}

/** BERT's tokenizer (`BertTokenizer` of `transformers`) without the [CLS] and [SEP] around a text. */
function bertTokenizer(text: string, config: Config): TokenizerJson {
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const vocab = Object.fromEntries(lines.map((token, i) => [token, i]));
  const unk_token = tokenOf(config["unk_token"], "[UNK]");
  return {
    added_tokens: specialTokens(vocab, config, {
      unk_token: "[UNK]",
      sep_token: "[SEP]",
      pad_token: "[PAD]",
      cls_token: "[CLS]",
      mask_token: "[MASK]",
    }),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: config["tokenize_chinese_chars"] ?? true,
      strip_accents: config["strip_accents"] ?? null,
      lowercase: config["do_lower_case"] ?? true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: null,
    decoder: { type: "WordPiece", prefix: "##", cleanup: config["clean_up_tokenization_spaces"] ?? true },
    model: {
      type: "WordPiece",
      vocab,
      unk_token,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
    },
  };
}

/** GPT-2's tokenizer (`GPT2Tokenizer` of `transformers`) with another vocabulary. */
function gpt2Tokenizer(vocab: unknown, merges: string, config: Config): unknown {
  const usual = "<|endoftext|>";
  return {
    added_tokens: specialTokens(vocab as Readonly<Record<string, number>>, config, {
      unk_token: usual,
      bos_token: usual,
      eos_token: usual,
    }),
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: config["add_prefix_space"] ?? false },
    post_processor: null,
    decoder: { type: "ByteLevel" },
    model: {
      type: "BPE",
      vocab,
      merges: merges.split(/\r?\n/).filter((line) => line !== "" && !line.startsWith("#version")),
    },
  };
}
