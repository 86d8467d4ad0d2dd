/**
 * GPT-2's byte-level BPE vocabulary, r50k_base of `gpt-tokenizer`. It is loaded on first use, because that takes longer
 * than loading the rest of the program.
 */
import { UsageError } from "../base/errors.ts";
import { type Tokenizer, tokenizerOf } from "./tokenizer.ts";

/** Number of GPT-2's tokens. */
export const GPT2_VOCAB_SIZE = 50257;

const END_OF_TEXT = 50256;

/** Loads GPT-2's tokenizer, which takes 30 to 60 ms the first time. */
export async function loadGpt2Tokenizer(): Promise<Tokenizer> {
  // Literal specifiers, so that both are in the module graph: cached, locked and bundled with it.
  const [{ encodeGenerator }, { default: tokens }] = await Promise.all([
    import("npm:gpt-tokenizer@4.0.0/encoding/r50k_base"),
    import("npm:gpt-tokenizer@4.0.0/bpeRanks/r50k_base"),
  ]);
  const utf8 = new TextEncoder();
  return tokenizerOf({
    vocabSize: GPT2_VOCAB_SIZE,
    encode: (text) => {
      const ids: number[] = [];
      // By default the package throws if a text contains a special token.
      for (const piece of encodeGenerator(text, { disallowedSpecial: new Set() })) {
        for (const id of piece) ids.push(id);
      }
      return ids;
    },
    bytes: (id) => {
      // A token that isn't UTF-8 by itself is a list of bytes.
      const token: string | readonly number[] | undefined = id === END_OF_TEXT ? "<|endoftext|>" : tokens[id];
      if (token === undefined) {
        throw new UsageError(
          `Cannot decode token id ${id}: expected an integer from 0 to ${GPT2_VOCAB_SIZE - 1}`,
        );
      }
      return typeof token === "string" ? utf8.encode(token) : Uint8Array.from(token);
    },
  });
}
