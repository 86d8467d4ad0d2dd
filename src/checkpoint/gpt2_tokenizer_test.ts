/**
 * Tests of GPT-2's tokenizer: the ids of the golden prompts, text that survives the round trip, and streams that
 * never emit part of a character.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { loadGpt2Tokenizer } from "./gpt2_tokenizer.ts";
import { permitted } from "../../tests/permitted.ts";
import { runs } from "../../tests/fuzz.ts";

const PROMPT = "深度学习中的注意力机制是";

Deno.test("Tokenizer.encode() gives the ids of every golden prompt, and decode() the prompt", {
  ignore: !permitted("read"),
}, async () => {
  const tokenizer = await loadGpt2Tokenizer();
  const path = new URL("../../tests/golden/tiny/cases.json", import.meta.url);
  const cases: { prompt?: string; ids: number[] }[] = JSON.parse(await Deno.readTextFile(path));
  const withPrompt = cases.filter(({ prompt }) => prompt !== undefined);
  assert(withPrompt.some(({ prompt }) => prompt === PROMPT));
  for (const { prompt = "", ids } of withPrompt) {
    assert.deepEqual(tokenizer.encode(prompt), ids);
    assert.equal(tokenizer.decode(ids), prompt);
  }
});

Deno.test("Tokenizer.encode() treats special tokens in text as text", async () => {
  const tokenizer = await loadGpt2Tokenizer();
  const text = "a<|endoftext|>b<|im_start|>";
  const ids = tokenizer.encode(text);
  assert(!ids.includes(50256));
  assert.equal(tokenizer.decode(ids), text);
  assert.equal(tokenizer.decode([50256]), "<|endoftext|>");
});

Deno.test("Tokenizer.encode() takes the empty text, half a surrogate pair and a long word", async () => {
  const tokenizer = await loadGpt2Tokenizer();
  assert.deepEqual(tokenizer.encode(""), []);
  assert.equal(tokenizer.decode(tokenizer.encode("\ud83dx")), "\ufffdx");
  const word = "z".repeat(5000);
  assert.equal(tokenizer.decode(tokenizer.encode(word)), word);
});

Deno.test("Tokenizer.decode() gives back any text", async () => {
  const tokenizer = await loadGpt2Tokenizer();
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme" }),
    fc.constant("\ufeffx\ufffd"),
  );
  fc.assert(fc.property(text, (t) => tokenizer.decode(tokenizer.encode(t)) === t), {
    numRuns: runs(500),
    seed: 1,
  });
});

Deno.test("Tokenizer.decode() has a text for every id, and none for others", async () => {
  const tokenizer = await loadGpt2Tokenizer();
  assert.equal(tokenizer.vocabSize, 50257);
  for (let id = 0; id < tokenizer.vocabSize; id++) assert(tokenizer.decode([id]).length > 0);
  for (const id of [-1, 50257, 1.5, NaN]) {
    assert.throws(() => tokenizer.decode([id]), {
      name: "UsageError",
      message: `Cannot decode token id ${id}: expected an integer from 0 to 50256`,
    });
  }
});

Deno.test("Tokenizer.decode() carries nothing over from one call to the next", async () => {
  const tokenizer = await loadGpt2Tokenizer();
  const [first = 0] = tokenizer.encode("深");
  assert.equal(tokenizer.decode([first]), "\ufffd");
  assert.equal(tokenizer.decode(tokenizer.encode("The")), "The");
});

Deno.test("Tokenizer.decodeStream() never emits part of a character", async () => {
  const tokenizer = await loadGpt2Tokenizer();
  for (const text of [PROMPT, "a🏳️‍🌈é漢字🧑🏽‍🚀"]) {
    const stream = tokenizer.decodeStream();
    const pieces = tokenizer.encode(text).map((id) => stream.push([id]));
    assert(pieces.includes(""), "no token of this text ends inside a character");
    assert(pieces.every((piece) => piece.isWellFormed() && !piece.includes("\ufffd")));
    assert.equal(pieces.join(""), text);
    assert.equal(stream.flush(), "");
  }
});

Deno.test("Tokenizer.decodeStream() emits what decode() does, for any ids in any pieces", async () => {
  const tokenizer = await loadGpt2Tokenizer();
  // Below 256 are the single bytes, most of them not UTF-8.
  const id = fc.oneof(fc.nat(255), fc.nat(50256));
  const chunks = fc.array(fc.array(id, { maxLength: 5 }), { maxLength: 10 });
  fc.assert(
    fc.property(chunks, (pieces) => {
      const stream = tokenizer.decodeStream();
      const text = pieces.map((ids) => stream.push(ids)).join("") + stream.flush();
      return text === tokenizer.decode(pieces.flat());
    }),
    { numRuns: runs(500), seed: 2 },
  );
});

Deno.test("Tokenizer.decodeStream() emits U+FFFD for an unfinished character and starts anew", async () => {
  const tokenizer = await loadGpt2Tokenizer();
  const stream = tokenizer.decodeStream();
  const [first = 0] = tokenizer.encode("深");
  assert.equal(stream.push([first]), "");
  assert.equal(stream.flush(), "\ufffd");
  assert.equal(stream.push(tokenizer.encode("度")), "度");
});
