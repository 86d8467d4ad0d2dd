/**
 * GPT-2's byte-level BPE tokenizer, r50k_base of `gpt-tokenizer`. Encoding is that package's. Decoding is done here on
 * bytes, because a token may hold part of a character, which the package's decoder would keep for its next caller. The
 * vocabulary is loaded on first use, because that takes longer than loading the rest of the program.
 *
 * @module
 */
import { UsageError } from "../base/errors.ts";
import type { Gpt2Config } from "./config.ts";

/** A decoder of token ids that arrive in pieces. */
export interface DecodeStream {
  /**
   * Returns the text that these ids complete. Bytes of an unfinished character wait for further ids.
   *
   * @throws {UsageError} If an id isn't in the vocabulary.
   */
  push(ids: Iterable<number>): string;
  /** Returns U+FFFD for a character that was never finished, else an empty text; restarts the stream. */
  flush(): string;
}

/** An encoder of texts to token ids, and a decoder. */
export interface Tokenizer {
  /** Number of token ids. */
  readonly vocabSize: number;
  /** Encodes a text. `<|endoftext|>` in it is plain text; the token itself is given by its id. */
  encode(text: string): number[];
  /**
   * Decodes ids. Bytes that are not UTF-8 become U+FFFD; token 50256 becomes `<|endoftext|>`.
   *
   * @throws {UsageError} If an id isn't in the vocabulary.
   */
  decode(ids: Iterable<number>): string;
  /** Makes a decoder of ids that arrive in pieces. */
  decodeStream(): DecodeStream;
  /**
   * Returns the bytes of an id, which need not be UTF-8 by themselves.
   *
   * @throws {UsageError} If the id isn't in the vocabulary.
   */
  bytes(id: number): Uint8Array<ArrayBuffer>;
}

/** Loads a model's tokenizer; undefined if its vocabulary isn't GPT-2's. */
export async function tokenizerFor(config: Pick<Gpt2Config, "vocabSize">): Promise<Tokenizer | undefined> {
  return config.vocabSize === VOCAB_SIZE ? await loadTokenizer() : undefined;
}

/** Loads GPT-2's tokenizer, which takes 30 to 60 ms the first time. */
export async function loadTokenizer(): Promise<Tokenizer> {
  // Literal specifiers, so that both are in the module graph: cached, locked and bundled with it.
  const [{ encodeGenerator }, { default: tokens }] = await Promise.all([
    import("npm:gpt-tokenizer@4.0.0/encoding/r50k_base"),
    import("npm:gpt-tokenizer@4.0.0/bpeRanks/r50k_base"),
  ]);
  return new R50kTokenizer(encodeGenerator, tokens);
}

const END_OF_TEXT = 50256;
const VOCAB_SIZE = 50257;

class R50kTokenizer implements Tokenizer {
  readonly vocabSize = VOCAB_SIZE;
  readonly #encode: typeof import("npm:gpt-tokenizer@4.0.0/encoding/r50k_base").encodeGenerator;
  // a token that isn't UTF-8 by itself is a list of bytes
  readonly #tokens: readonly (string | readonly number[])[];
  readonly #utf8 = new TextEncoder();

  constructor(
    encode: typeof import("npm:gpt-tokenizer@4.0.0/encoding/r50k_base").encodeGenerator,
    tokens: readonly (string | readonly number[])[],
  ) {
    this.#encode = encode;
    this.#tokens = tokens;
  }

  encode(text: string): number[] {
    const ids: number[] = [];
    // By default the package throws if a text contains a special token.
    for (const piece of this.#encode(text, { disallowedSpecial: new Set() })) {
      for (const id of piece) ids.push(id);
    }
    return ids;
  }

  decode(ids: Iterable<number>): string {
    const stream = this.decodeStream();
    return stream.push(ids) + stream.flush();
  }

  decodeStream(): DecodeStream {
    // Without ignoreBOM, a token that is a byte order mark would be lost.
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return {
      push: (ids) => {
        let text = "";
        for (const id of ids) text += decoder.decode(this.bytes(id), { stream: true });
        return text;
      },
      flush: () => decoder.decode(),
    };
  }

  bytes(id: number): Uint8Array<ArrayBuffer> {
    const token = id === END_OF_TEXT ? "<|endoftext|>" : this.#tokens[id];
    if (token === undefined) {
      throw new UsageError(`Cannot decode token id ${id}: expected an integer from 0 to ${VOCAB_SIZE - 1}`);
    }
    return typeof token === "string" ? this.#utf8.encode(token) : Uint8Array.from(token);
  }
}
