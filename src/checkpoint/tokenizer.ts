/**
 * Text to token ids and back, for any vocabulary. A vocabulary gives the bytes that each id adds to a text; decoding is
 * done here on those bytes, because a token may hold part of a character. Knows no vocabulary.
 */

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
  /**
   * Encodes a text, and adds no token for its beginning or its end. In GPT-2's vocabulary `<|endoftext|>` is plain
   * text; in a model's own vocabulary, the name of a special token in a text becomes that token.
   *
   * @throws {UsageError} If the vocabulary has no token for a part of the text, nor one for unknown text.
   */
  encode(text: string): number[];
  /**
   * Decodes ids, special tokens included. Bytes that are not UTF-8 become U+FFFD.
   *
   * @param after Ids of the text that is continued: a word may go on, or a space may come between. Default: none.
   * @throws {UsageError} If an id isn't in the vocabulary.
   */
  decode(ids: Iterable<number>, after?: readonly number[]): string;
  /**
   * Makes a decoder of ids that arrive in pieces.
   *
   * @param after Ids of the text that is continued. Default: none.
   */
  decodeStream(after?: readonly number[]): DecodeStream;
  /**
   * Returns the bytes that an id adds to a text, which need not be UTF-8 by themselves.
   *
   * @param previous The id before it. Default: it begins the text.
   * @throws {UsageError} If the id isn't in the vocabulary.
   */
  bytes(id: number, previous?: number): Uint8Array<ArrayBuffer>;
}

/** Makes a tokenizer of an encoder and the bytes of ids. */
export function tokenizerOf(vocabulary: Pick<Tokenizer, "vocabSize" | "encode" | "bytes">): Tokenizer {
  const decodeStream = (after: readonly number[] = []): DecodeStream => {
    // Without ignoreBOM, a token that is a byte order mark would be lost.
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let previous = after.at(-1);
    return {
      push: (ids) => {
        let text = "";
        for (const id of ids) {
          text += decoder.decode(vocabulary.bytes(id, previous), { stream: true });
          previous = id;
        }
        return text;
      },
      flush: () => {
        previous = after.at(-1);
        return decoder.decode();
      },
    };
  };
  return {
    ...vocabulary,
    decode: (ids, after) => {
      const stream = decodeStream(after);
      return stream.push(ids) + stream.flush();
    },
    decodeStream,
  };
}
