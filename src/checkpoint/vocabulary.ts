/** The tokenizer that a model needs: of its own vocabulary's files, or GPT-2's. */
import { byteLevelBytes } from "./byte_level.ts";
import type { TensorSource } from "./checkpoint.ts";
import { GPT2_VOCAB_SIZE, loadGpt2Tokenizer } from "./gpt2_tokenizer.ts";
import { ownTokenizer } from "./own_tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { idsOf, readVocabulary, type TokenizerJson } from "./tokenizer_json.ts";

/**
 * Loads a model's tokenizer.
 *
 * @returns Undefined if the model has no vocabulary of its own, and not as many tokens as GPT-2.
 * @throws {KvbenchError} If its vocabulary can't be used. Token ids need none.
 */
export async function tokenizerFor(
  { config: { vocabSize }, vocabulary }: Pick<TensorSource, "config" | "vocabulary">,
): Promise<Tokenizer | undefined> {
  const files = await vocabulary?.();
  if (files === undefined) return vocabSize === GPT2_VOCAB_SIZE ? await loadGpt2Tokenizer() : undefined;
  const { json, name } = readVocabulary(files);
  if (vocabSize === GPT2_VOCAB_SIZE && hasRulesOfGpt2(json)) {
    const gpt2 = await loadGpt2Tokenizer(); // several times as fast, and already there
    if (isSame(json, gpt2)) return gpt2;
  }
  return await ownTokenizer(json, name, vocabSize);
}

function hasRulesOfGpt2({ model, normalizer, pre_tokenizer: split, added_tokens }: TokenizerJson): boolean {
  return model.type === "BPE" && normalizer === null && split?.type === "ByteLevel" &&
    !split["add_prefix_space"] && split["use_regex"] !== false &&
    added_tokens.every(({ content }) => content === "<|endoftext|>");
}

/** Tells whether a vocabulary gives each token GPT-2's id. */
function isSame(json: TokenizerJson, gpt2: Tokenizer): boolean {
  const ids = idsOf(json);
  return ids.size === GPT2_VOCAB_SIZE &&
    ids.entries().every(([token, id]) =>
      id < GPT2_VOCAB_SIZE && byteLevelBytes(token)?.toHex() === gpt2.bytes(id).toHex()
    );
}
