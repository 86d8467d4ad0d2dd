/**
 * Tests of models' own vocabularies: ids and texts are those of Hugging Face's tokenizers, token by token as at once, and
 * a vocabulary that can't be used is refused by name.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { runs } from "../../tests/fuzz.ts";
import { gpt2TokenizerJson } from "../../tests/fixtures/gpt2_vocabulary.ts";
import { permitted } from "../../tests/permitted.ts";
import { sourcesIn } from "../../tests/sources.ts";
import type { VocabularyFiles } from "./checkpoint.ts";
import { parseConfig } from "./config.ts";
import { loadGpt2Tokenizer } from "./gpt2_tokenizer.ts";
import { ownTokenizer } from "./own_tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { tokenizerFor } from "./vocabulary.ts";

const ignore = !permitted("read");
const GOLDEN = new URL("../../tests/golden/vocabularies/", import.meta.url);

interface Case {
  readonly text: string;
  readonly ids: number[];
  readonly decoded: string;
}

const read = (name: string) => ignore ? "" : Deno.readTextFileSync(new URL(name, GOLDEN));
const CASES: Record<string, Case[]> = ignore ? {} : JSON.parse(read("cases.json"));
const VOCAB_TXT = read("vocab.txt");

/** The files of each vocabulary in `cases.json`. */
const FILES: Record<string, VocabularyFiles["texts"]> = {
  bert: { "vocab.txt": VOCAB_TXT },
  bert_cased: { "vocab.txt": VOCAB_TXT, "tokenizer_config.json": '{"do_lower_case": false}' },
  byte_level: { "tokenizer.json": read("byte_level.json") },
  fallback: { "tokenizer.json": read("fallback.json") },
  unigram: { "tokenizer.json": read("unigram.json") },
};

function load(texts: VocabularyFiles["texts"], vocabSize = 700): Promise<Tokenizer | undefined> {
  const config = parseConfig({ n_embd: 8, n_head: 2, n_layer: 1, n_ctx: 16, vocab_size: vocabSize }, "c");
  return tokenizerFor({ config, vocabulary: () => Promise.resolve({ texts, folder: "a" }) });
}

/** What `transformers` decodes, without the spaces beside characters that are written without any. */
function unspaced(text: string): string {
  const wide = "[\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\u3000-\u303f\uff00-\uffef]";
  const text1 = text.replaceAll(new RegExp(`(?<=${wide}) | (?=${wide})`, "gu"), "");
  return text1.replaceAll(/(?<=[\u2014\u2018-\u201d\u2026]) (?=[\u2014\u2018-\u201d\u2026])/g, "");
}

for (const name of Object.keys(FILES)) {
  Deno.test(`A vocabulary gives the ids and the texts of Hugging Face's tokenizers: ${name}`, {
    ignore,
  }, async () => {
    const tokenizer = (await load(FILES[name]!))!;
    assert.ok(CASES[name]!.length > 10);
    for (const { text, ids, decoded } of CASES[name]!) {
      assert.deepEqual(tokenizer.encode(text), ids, text);
      assert.equal(tokenizer.decode(ids), name.startsWith("bert") ? unspaced(decoded) : decoded, text);
    }
  });

  Deno.test(`Text comes token by token as it comes at once, in pieces and behind a prompt: ${name}`, {
    ignore,
  }, async () => {
    const tokenizer = (await load(FILES[name]!))!;
    const ids = fc.array(fc.nat(299), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(ids, fc.nat(11), (all, cut) => {
        const before = all.slice(0, cut), after = all.slice(cut);
        const stream = tokenizer.decodeStream();
        const whole = all.map((id) => stream.push([id])).join("") + stream.flush();
        assert.equal(whole, tokenizer.decode(all));
        // A character that the cut divides is not a part of either text.
        const joined = tokenizer.decode(before) + tokenizer.decode(after, before);
        if (!joined.includes("\ufffd")) assert.equal(joined, whole);
      }),
      { numRuns: runs(300), seed: 3 },
    );
  });
}

Deno.test(
  "WordPiece continues a word and begins another, and Chinese has no spaces",
  { ignore },
  async () => {
    const tokenizer = (await load(FILES["bert"]!))!;
    const id = (word: string) => VOCAB_TXT.split("\n").indexOf(word);
    const stream = tokenizer.decodeStream([id("learning")]);
    const ids = ["##s2", "cat", "##s2", ",", "深", "##度", "学", "cat", "it", "'", "s", "!", "a"].map(id);
    assert.ok(!ids.includes(-1));
    assert.deepEqual(ids.map((each) => stream.push([each])), [
      ...["s2", " cat", "s2", ",", "深", "度", "学", "cat", " it", "'", "s", "!", " a"],
    ]);
    assert.equal(new TextDecoder().decode(tokenizer.bytes(id("cat"), id("the"))), " cat");
    assert.equal(new TextDecoder().decode(tokenizer.bytes(id("cat"))), "cat");
  },
);

Deno.test("GPT-2's vocabulary by Hugging Face's package gives the ids of gpt-tokenizer on a corpus", {
  ignore,
}, async () => {
  const gpt2 = await loadGpt2Tokenizer();
  const own = await ownTokenizer(await gpt2TokenizerJson(), "gpt2", 50257);
  const root = new URL("../../", import.meta.url);
  const corpus = [
    ...["README.md", "docs/many-requests.md", "docs/performance.md"].map((path) => new URL(path, root)),
    ...sourcesIn(new URL("src/checkpoint/", root)),
    new URL("cases.json", GOLDEN),
    // The special token's text is that token in one of them, and plain text in the other.
  ].map((url) => Deno.readTextFileSync(url).replaceAll("<|endoftext|>", ""));
  assert.ok(corpus.join("").length > 60_000);
  for (const text of corpus) {
    const ids = gpt2.encode(text);
    assert.deepEqual(own.encode(text), ids);
    assert.equal(own.decode(ids), text);
  }
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.deepEqual(own.encode(text), gpt2.encode(text));
    }),
    { numRuns: runs(300), seed: 4 },
  );
});

Deno.test("tokenizerFor() takes gpt-tokenizer for GPT-2's vocabulary, whatever file it is in", {
  ignore,
}, async () => {
  const json = await gpt2TokenizerJson();
  const encode = (value: unknown) => JSON.stringify(value);
  const vocab = json.model.vocab as Record<string, number>;
  // In GPT-2's own tokenizer the special token's text is plain text.
  const isGpt2 = async (texts: VocabularyFiles["texts"]) =>
    (await load(texts, 50257))!.encode("<|endoftext|>").length > 1;
  assert.ok(await isGpt2({ "tokenizer.json": encode(json) }));
  const merges = (json.model["merges"] as string[]).join("\n");
  assert.ok(await isGpt2({ "vocab.json": encode(vocab), "merges.txt": `#version: 0.2\n${merges}\n` }));
  const swapped = { ...vocab, "Ġa": vocab["Ġthe"]!, "Ġthe": vocab["Ġa"]! };
  assert.ok(
    !await isGpt2({ "tokenizer.json": encode({ ...json, model: { ...json.model, vocab: swapped } }) }),
  );

  const without = (vocabSize: number) =>
    tokenizerFor({
      config: parseConfig({ n_embd: 8, n_head: 2, n_layer: 1, n_ctx: 16, vocab_size: vocabSize }, "c"),
    });
  assert.equal(await without(509), undefined);
  assert.equal((await without(50257))?.vocabSize, 50257);
});

Deno.test("An id without a token is a replacement character, and an id beyond the model's an error", {
  ignore,
}, async () => {
  const tokenizer = (await load(FILES["bert"]!))!;
  assert.equal(tokenizer.decode([98, 699, 99]), "深\ufffd度");
  for (const id of [-1, 700, 1.5]) {
    assert.throws(() => tokenizer.decode([id]), {
      name: "UsageError",
      message: `Cannot decode token id ${id}: expected an integer from 0 to 699`,
    });
  }
});

Deno.test("Text that a vocabulary has no token for is an error where it has no token for unknown text", {
  ignore,
}, async () => {
  const message =
    /^The text holds characters that a\/[\w.]+ has no token for: expected other text, or token ids$/;
  const bert = (await load({ "vocab.txt": "[PAD]\nthe\ncat\n" }))!;
  assert.deepEqual(bert.encode("the cat"), [1, 2]);
  assert.throws(() => bert.encode("the dog"), { name: "UsageError", message });
  const json = JSON.parse(read("byte_level.json"));
  delete json.model.vocab["z"];
  const bytes = (await load({ "tokenizer.json": JSON.stringify(json) }))!;
  assert.equal(bytes.decode(bytes.encode("a é 深")), "a é 深");
  assert.throws(() => bytes.encode("zoo"), { name: "UsageError", message });
});

const UNUSABLE: readonly (readonly [string, VocabularyFiles["texts"], RegExp])[] = [
  ["no JSON", { "tokenizer.json": "{" }, /^Cannot use a\/tokenizer\.json: it is not JSON$/],
  [
    "no vocabulary",
    { "tokenizer.json": '{"model":{}}' },
    /^Cannot use a\/tokenizer\.json: model\.vocab is not/,
  ],
  ["a list", { "tokenizer.json": "[]" }, /^Cannot use a\/tokenizer\.json: it is not as in a tokenizer\.json/],
  ["no such part", {
    "tokenizer.json": '{"pre_tokenizer":{"type":"Odd"},"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}',
  }, /^Cannot use a\/tokenizer\.json: Unknown PreTokenizer type: Odd$/],
  [
    "more ids than the model",
    { "vocab.txt": "[UNK]\n".padEnd(10_000, "a\n") },
    /^Cannot use a\/vocab\.txt: token "a" has id \d+, expected ids below the model's vocab_size, 700$/,
  ],
  [
    "another tokenizer's files",
    { "vocab.txt": "a\n", "tokenizer_config.json": '{"tokenizer_class":"BertJapaneseTokenizer"}' },
    /^Cannot use a\/tokenizer_config\.json: tokenizer_class is "BertJapaneseTokenizer", expected BertTokenizer/,
  ],
  [
    "settings that are none",
    { "vocab.txt": "a\n", "tokenizer_config.json": "[]" },
    /^Cannot use a\/tokenizer_config\.json: expected a JSON object$/,
  ],
];

for (const [what, texts, message] of UNUSABLE) {
  Deno.test(`A vocabulary is refused by name: ${what}`, async () => {
    await assert.rejects(load(texts), { name: "KvbenchError", message });
  });
}
