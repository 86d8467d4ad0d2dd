/**
 * A tokenizer for a vocabulary of a model's own. Encoding is that of Hugging Face's package; decoding says what each id
 * adds to the text, so that text can be shown as ids come.
 */
import { KvbenchError, reasonOf, UsageError } from "../base/errors.ts";
import { byteLevelBytes } from "./byte_level.ts";
import { type Tokenizer, tokenizerOf } from "./tokenizer.ts";
import { idsOf, type Part, type TokenizerJson } from "./tokenizer_json.ts";
import { importTokenizers, type TokenizersPackage } from "./tokenizers_package.ts";
import { wordPieceGap } from "./word_piece_gap.ts";

/** Text of an id that has no token. */
const NO_TOKEN = "\ufffd";

/**
 * Makes a tokenizer.
 *
 * @param name Name of the vocabulary in messages.
 * @param vocabSize The model's.
 * @throws {KvbenchError} If the vocabulary has ids that the model lacks, or settings that the package lacks, or the
 * package can't be loaded.
 */
export async function ownTokenizer(json: TokenizerJson, name: string, vocabSize: number): Promise<Tokenizer> {
  const ids = idsOf(json);
  for (const [token, id] of ids) {
    if (id < vocabSize) continue;
    throw new KvbenchError(
      `Cannot use ${name}: token ${JSON.stringify(token)} has id ${id}, expected ids below the model's ` +
        `vocab_size, ${vocabSize}`,
    );
  }
  const encoder = await encoderOf(json, name);
  const tokens = new Map([...ids].map(([token, id]) => [id, token]));
  const textOf = adderOf(json, tokens, encoder);
  const utf8 = new TextEncoder();
  const bytes = (id: number, previous?: number): Uint8Array<ArrayBuffer> => {
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize) {
      throw new UsageError(`Cannot decode token id ${id}: expected an integer from 0 to ${vocabSize - 1}`);
    }
    const token = tokens.get(id);
    const added = token === undefined ? NO_TOKEN : textOf(token, previous, id);
    return typeof added === "string" ? utf8.encode(added) : added;
  };
  const mayDrop = isByteForByte(json);
  return tokenizerOf({
    vocabSize,
    bytes,
    encode: (text) => {
      const { ids } = encoder.encode(text, { add_special_tokens: false });
      // The package is JavaScript: an unknown token without a token for it has no id.
      const isWhole = ids.every((id: number | undefined) => id !== undefined) &&
        !(mayDrop && ids.reduce((sum, id) => sum + bytes(id).length, 0) < utf8.encode(text).length);
      if (isWhole) return ids;
      throw new UsageError(
        `The text holds characters that ${name} has no token for: expected other text, or token ids`,
      );
    },
  });
}

type Encoder = InstanceType<TokenizersPackage["Tokenizer"]>;

async function encoderOf(json: TokenizerJson, name: string): Promise<Encoder> {
  const library = await importTokenizers().catch((error: unknown) => {
    throw new KvbenchError(`Cannot load @huggingface/tokenizers, which reads ${name}: ${reasonOf(error)}`);
  });
  try {
    return new library.Tokenizer(json, {});
  } catch (error) {
    throw new KvbenchError(`Cannot use ${name}: ${reasonOf(error)}`);
  }
}

/** Returns what a token adds to a text: a text, or bytes that need not be UTF-8. */
type Adder = (token: string, previous: number | undefined, id: number) => string | Uint8Array<ArrayBuffer>;

function adderOf(json: TokenizerJson, tokens: ReadonlyMap<number, string>, encoder: Encoder): Adder {
  const decoders = decodersOf(json);
  const has = (type: string) => decoders.find((decoder) => decoder.type === type);
  if (has("ByteLevel")) {
    const added = new Set(json.added_tokens.map(({ content }) => content));
    return (token) => added.has(token) ? token : byteLevelBytes(token) ?? token;
  }
  const wordPiece = decoders.length === 1 ? has("WordPiece") : undefined;
  if (wordPiece) {
    const prefix = String(wordPiece["prefix"] ?? "##"), cleanUp = wordPiece["cleanup"] !== false;
    const bare = (token: string) => token.startsWith(prefix) ? token.slice(prefix.length) : token;
    return (token, previous) => {
      const before = previous === undefined ? undefined : tokens.get(previous) ?? NO_TOKEN;
      if (before === undefined) return token;
      return token.startsWith(prefix) ? bare(token) : wordPieceGap(bare(before), token, cleanUp) + token;
    };
  }
  // Another decoder: the difference that the id makes behind the one before it.
  const decode = (ids: number[]) => encoder.decode(ids, { clean_up_tokenization_spaces: false });
  const fallsBack = has("ByteFallback") !== undefined;
  return (token, previous, id) => {
    const byte = fallsBack ? /^<0x([0-9A-F]{2})>$/.exec(token)?.[1] : undefined;
    if (byte !== undefined) return Uint8Array.of(parseInt(byte, 16));
    const before = previous === undefined ? "" : decode([previous]);
    const whole = decode(previous === undefined ? [id] : [previous, id]);
    return whole.startsWith(before) ? whole.slice(before.length) : decode([id]);
  };
}

/** The decoders of a vocabulary, in order. */
function decodersOf({ decoder }: TokenizerJson): readonly Part[] {
  if (decoder === null) return [];
  return decoder.type === "Sequence" ? decoder["decoders"] as Part[] : [decoder];
}

/**
 * Tells whether a text's ids have as many bytes as the text, unless some were dropped: byte-level BPE drops those that a
 * small vocabulary has no token for. A normalizer may change the length of a text, and then nothing can be told.
 */
function isByteForByte(json: TokenizerJson): boolean {
  return json.normalizer === null && decodersOf(json).some(({ type }) => type === "ByteLevel") &&
    json.added_tokens.every(({ lstrip, rstrip }) => !lstrip && !rstrip);
}
