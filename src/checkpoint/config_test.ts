/** Tests of the configuration reader: what it accepts, and what it refuses by name. */
import assert from "node:assert/strict";
import { KvbenchError } from "../base/errors.ts";
import { parameterCount, parseConfig, PRESETS } from "./config.ts";
import { permitted } from "../../tests/permitted.ts";

const SMALL = { model_type: "gpt2", n_embd: 80, n_head: 5, n_layer: 3, n_ctx: 48, vocab_size: 50257 };

Deno.test("parseConfig() reads the embedded model's config", { ignore: !permitted("read") }, async () => {
  const path = new URL("../../weights/tiny/config.json", import.meta.url);
  assert.deepEqual(parseConfig(JSON.parse(await Deno.readTextFile(path)), "config.json"), {
    vocabSize: 50257,
    nCtx: 1024,
    nEmbd: 128,
    nHead: 2,
    nLayer: 6,
    nInner: 512,
    layerNormEpsilon: 1e-5,
    bosTokenId: 50256,
    eosTokenId: 50256,
    headDim: 64,
    tieWordEmbeddings: true,
  });
});

Deno.test("parseConfig() reads a published GPT-2 config, with its many keys", () => {
  const published = {
    activation_function: "gelu_new",
    architectures: ["GPT2LMHeadModel"],
    attn_pdrop: 0.1,
    bos_token_id: 50256,
    eos_token_id: 50256,
    initializer_range: 0.02,
    layer_norm_epsilon: 1e-5,
    model_type: "gpt2",
    n_ctx: 1024,
    n_embd: 768,
    n_head: 12,
    n_layer: 12,
    n_positions: 1024,
    resid_pdrop: 0.1,
    summary_type: "cls_index",
    task_specific_params: { "text-generation": { do_sample: true } },
    vocab_size: 50257,
  };
  assert.deepEqual(parseConfig(published, "config.json"), PRESETS.gpt2);
});

Deno.test("parseConfig() takes n_ctx or n_positions, and n_inner null for four times n_embd", () => {
  const { n_ctx, ...rest } = SMALL;
  assert.equal(parseConfig(SMALL, "c").nCtx, 48);
  assert.equal(parseConfig({ ...rest, n_positions: n_ctx }, "c").nCtx, 48);
  assert.equal(parseConfig({ ...SMALL, n_inner: null }, "c").nInner, 320);
  assert.equal(parseConfig({ ...SMALL, n_inner: 77 }, "c").nInner, 77);
});

Deno.test("parseConfig() takes gelu_pytorch_tanh and flags at their usual values", () => {
  const flags = {
    activation_function: "gelu_pytorch_tanh",
    architectures: null,
    tie_word_embeddings: true,
    scale_attn_weights: true,
    scale_attn_by_inverse_layer_idx: false,
    add_cross_attention: false,
    is_encoder_decoder: false,
    pruned_heads: {},
    quantization_config: null,
    auto_map: { AutoTokenizer: "own--tokenization.Own" },
    reorder_and_upcast_attn: true,
    hidden_size: 80,
    max_position_embeddings: 48,
    eos_token_id: null,
  };
  assert.equal(parseConfig({ ...SMALL, ...flags }, "c").eosTokenId, 50256);
});

Deno.test("parseConfig() knows no end of a text where transformers' default is no token of the vocabulary", () => {
  const { bosTokenId, eosTokenId } = parseConfig({ ...SMALL, vocab_size: 21128 }, "c");
  assert.deepEqual([bosTokenId, eosTokenId], [undefined, undefined]);
});

const REFUSED: readonly (readonly [Record<string, unknown>, RegExp])[] = [
  [{ model_type: "llama" }, /^Cannot use a\/config\.json: model_type is "llama", expected gpt2$/],
  [
    { architectures: ["GPTNeoForCausalLM"] },
    /architectures is \["GPTNeoForCausalLM"\], expected GPT2LMHeadModel/,
  ],
  [{ architectures: "GPT2LMHeadModel" }, /architectures is "GPT2LMHeadModel"/],
  [{ activation_function: "gelu" }, /activation_function is "gelu", expected gelu_new or gelu_pytorch_tanh$/],
  [{ scale_attn_by_inverse_layer_idx: true }, /scale_attn_by_inverse_layer_idx is true, expected false$/],
  [{ scale_attn_weights: false }, /scale_attn_weights is false, expected true$/],
  [{ add_cross_attention: true }, /add_cross_attention is true, expected false$/],
  [{ tie_word_embeddings: 0 }, /tie_word_embeddings is 0, expected true or false$/],
  [
    { architectures: ["GPT2DoubleHeadsModel"] },
    /architectures is \["GPT2DoubleHeadsModel"\], expected GPT2LMHeadModel/,
  ],
  [{ is_encoder_decoder: true }, /is_encoder_decoder is true, expected false$/],
  [
    { pruned_heads: { 2: [0, 3] } },
    /pruned_heads is \{"2":\[0,3\]\}, expected none: every layer has all its heads$/,
  ],
  [
    { quantization_config: { bits: 4 } },
    /quantization_config is \{"bits":4\}, expected none: kvbench reads float weights/,
  ],
  [{ quantization_config: "gptq" }, /quantization_config is "gptq", expected none/],
  [{ compression_config: { format: "x" } }, /compression_config is \{"format":"x"\}, expected none/],
  [
    { auto_map: { AutoModelForCausalLM: "own--modeling.Own" } },
    /auto_map is \{.+\}, expected no code of the model's own, which kvbench does not run$/,
  ],
  [{ hidden_size: 96 }, /hidden_size is 96, expected n_embd, 80$/],
  [{ max_position_embeddings: 64 }, /max_position_embeddings is 64, expected n_positions, 48$/],
  [{ num_attention_heads: 4 }, /num_attention_heads is 4, expected n_head, 5$/],
  [{ num_hidden_layers: "3" }, /num_hidden_layers is "3", expected n_layer, 3$/],
  [{ n_embd: 81 }, /n_embd is 81, expected a multiple of n_head, 5$/],
  [{ n_embd: 1285 }, /n_head is 5, expected at least 6, for heads of at most 256 elements$/],
  [{ n_embd: undefined }, /n_embd is missing, expected an integer from 1 to 65536$/],
  [{ n_layer: 0 }, /n_layer is 0, expected an integer from 1 to 1024$/],
  [{ n_head: 2.5 }, /n_head is 2\.5, expected an integer from 1 to 1024$/],
  [{ n_layer: "12" }, /n_layer is "12", expected an integer/],
  [{ n_inner: -4 }, /n_inner is -4, expected an integer/],
  [{ vocab_size: 1e12 }, /vocab_size is 1000000000000, expected an integer from 1 to 1000000$/],
  [{ n_ctx: undefined }, /n_positions is missing, expected an integer from 1 to 1000000$/],
  [{ n_positions: 64 }, /n_ctx is 48, expected n_positions, 64$/],
  [{ layer_norm_epsilon: 0 }, /layer_norm_epsilon is 0, expected a number above 0, at most 0\.1$/],
  [{ layer_norm_epsilon: "1e-5" }, /layer_norm_epsilon is "1e-5", expected a number/],
  [{ eos_token_id: 50257 }, /eos_token_id is 50257, expected an id below vocab_size, 50257$/],
  [{ vocab_size: 509, bos_token_id: 509 }, /bos_token_id is 509, expected an id below vocab_size, 509$/],
  [{ n_embd: "x\n".repeat(999) }, /n_embd is .{60}, expected/],
];

for (const [change, message] of REFUSED) {
  const label = JSON.stringify(change, (_, value) => value ?? "missing").slice(0, 60);
  Deno.test(`parseConfig() refuses ${label}`, () => {
    assert.throws(() => parseConfig({ ...SMALL, ...change }, "a/config.json"), (error: unknown) => {
      assert(error instanceof KvbenchError);
      assert.match(error.message, message);
      assert(!error.message.includes("\n"));
      return true;
    });
  });
}

Deno.test("parseConfig() refuses what is not an object", () => {
  for (const json of [null, 1, "gpt2", []]) {
    assert.throws(() => parseConfig(json, "c"), {
      name: "KvbenchError",
      message: /Cannot use c: expected a JSON/,
    });
  }
});

Deno.test("parameterCount() gives the published sizes", () => {
  const counts = Object.values(PRESETS).map(parameterCount);
  assert.deepEqual(counts, [81_912_576, 124_439_808, 354_823_168, 774_030_080, 1_557_611_200]);
});

Deno.test("parseConfig() reads a head of its own, which parameterCount() counts", () => {
  const untied = parseConfig({ ...SMALL, tie_word_embeddings: false }, "c");
  assert.equal(untied.tieWordEmbeddings, false);
  assert.equal(parameterCount(untied) - parameterCount(parseConfig(SMALL, "c")), 50257 * 80);
});
