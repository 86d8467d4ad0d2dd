/**
 * Tests of checkpoints: the two that are committed open and read; each way in which tensors and configuration
 * can disagree is refused by tensor name before any tensor is read.
 */
import assert from "node:assert/strict";
import { KvbenchError } from "../base/errors.ts";
import { fileSource } from "../host/files.ts";
import { memorySource } from "./byte_source.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { tensorShapes } from "./tensors.ts";
import { parameterCount, parseConfig, PRESETS } from "./config.ts";
import { permitted } from "../../tests/permitted.ts";

const CONFIG = { model_type: "gpt2", n_embd: 4, n_head: 2, n_layer: 2, n_ctx: 3, vocab_size: 5 };
const CONFIG_JSON = JSON.stringify({ ...CONFIG, bos_token_id: 0, eos_token_id: 0 });
const SHAPES = tensorShapes(parseConfig(JSON.parse(CONFIG_JSON), "config.json"));

interface Stored {
  readonly shape: readonly number[];
  readonly dtype?: "F32" | "U8";
}

/** Opens a checkpoint with these tensors. Element i of the file's data is the float i, where `values` don't say else. */
async function open(
  tensors: ReadonlyMap<string, Stored>,
  configJson = CONFIG_JSON,
  values: Readonly<Record<string, readonly number[]>> = {},
) {
  let end = 0;
  const header = Object.fromEntries([...tensors].map(([name, { shape, dtype = "F32" }]) => {
    const begin = end;
    end += shape.reduce((product, n) => product * n, dtype === "F32" ? 4 : 1);
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  }));
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + end);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 8);
  const data = Float32Array.from({ length: end >> 2 }, (_, i) => i);
  for (const [name, own] of Object.entries(values)) data.set(own, header[name]!.data_offsets[0]! / 4);
  bytes.set(new Uint8Array(data.buffer), 8 + text.length);

  const memory = memorySource(bytes);
  const log = { closed: 0, dataBytes: 0, largestRead: 0 };
  const weights = {
    size: memory.size,
    read: (offset: number, length: number) => {
      if (offset >= 8 + text.length) {
        log.dataBytes += length;
        log.largestRead = Math.max(log.largestRead, length);
      }
      return memory.read(offset, length);
    },
    sha256: () => memory.sha256(),
    close: () => {
      log.closed++;
    },
  };
  const files = {
    name: "test",
    configJson,
    configName: "config.json",
    weights: [{ bytes: weights, name: "m.safetensors" }],
  };
  const result = await openCheckpoint(files).catch((error: unknown) => error);
  return { result, log };
}

/** The model's tensors, with some replaced, and those removed that are given as undefined. */
function tensors(changes: Record<string, Stored | undefined> = {}, prefix = ""): Map<string, Stored> {
  const all = new Map<string, Stored>();
  for (const [name, shape] of SHAPES) all.set(prefix + name, { shape });
  for (const [name, stored] of Object.entries(changes)) {
    if (stored === undefined) all.delete(name);
    else all.set(name, stored);
  }
  return all;
}

async function opened(
  map: ReadonlyMap<string, Stored>,
  ...rest: [configJson?: string, values?: Readonly<Record<string, readonly number[]>>]
): Promise<Checkpoint> {
  const { result } = await open(map, ...rest);
  if (result instanceof Error) throw result;
  return result as Checkpoint;
}

async function assertRefused(
  map: ReadonlyMap<string, Stored>,
  message: string,
  configJson?: string,
): Promise<void> {
  const { result, log } = await open(map, configJson);
  assert(result instanceof KvbenchError, String(result));
  assert.equal(result.message, message);
  assert.deepEqual(log, { closed: 1, dataBytes: 0, largestRead: 0 });
}

for (const folder of ["weights/tiny", "tests/golden/random-small-checkpoint"]) {
  Deno.test(`openCheckpoint() opens ${folder} and reads each tensor in its length`, {
    ignore: !permitted("read"),
  }, async () => {
    const base = new URL(`../../${folder}/`, import.meta.url);
    const checkpoint = await openCheckpoint({
      name: "x",
      configJson: await Deno.readTextFile(new URL("config.json", base)),
      configName: "config.json",
      weights: [{ bytes: await fileSource(new URL("model.safetensors", base)), name: "model.safetensors" }],
    });
    let elements = 0;
    for (const [name, shape] of tensorShapes(checkpoint.config)) {
      const values = await checkpoint.read(name);
      assert.equal(values.length, shape.reduce((product, n) => product * n));
      assert(values.every(Number.isFinite));
      elements += values.length;
    }
    assert.equal(elements, parameterCount(checkpoint.config));
    assert.equal(checkpoint.storedBytes, elements * (folder === "weights/tiny" ? 2 : 4));
    checkpoint.close();
  });
}

Deno.test("openCheckpoint() takes names with and without the transformer. prefix", async () => {
  for (const prefix of ["", "transformer."]) {
    const checkpoint = await opened(tensors({}, prefix));
    // wte and wpe, 20 and 12 elements, lie before ln_1 of the first layer.
    assert.deepEqual(await checkpoint.read("h.0.ln_1.weight"), Float32Array.of(32, 33, 34, 35));
  }
});

/** What `wte.weight` holds, the first tensor of the file. */
const EMBEDDING = Array.from({ length: 20 }, (_, i) => i);
const HEAD = { "lm_head.weight": { shape: [5, 4] } };
const UNTIED_JSON = JSON.stringify({ ...JSON.parse(CONFIG_JSON), tie_word_embeddings: false });

Deno.test("openCheckpoint() takes a head that equals the token embedding as tied, whatever the config says", async () => {
  for (const configJson of [CONFIG_JSON, UNTIED_JSON]) {
    const checkpoint = await opened(tensors(HEAD), configJson, { "lm_head.weight": EMBEDDING });
    assert.equal(checkpoint.config.tieWordEmbeddings, true);
    assert.equal(checkpoint.storedBytes, 4 * parameterCount(checkpoint.config));
    await assert.rejects(checkpoint.read("lm_head.weight"), { message: /has no tensor "lm_head\.weight"$/ });
  }
});

Deno.test("openCheckpoint() takes a head that differs in one element as one of its own, whatever the config says", async () => {
  for (const configJson of [CONFIG_JSON, UNTIED_JSON]) {
    for (const at of [0, 19]) {
      const other = EMBEDDING.with(at, -1);
      const checkpoint = await opened(tensors(HEAD), configJson, { "lm_head.weight": other });
      assert.equal(checkpoint.config.tieWordEmbeddings, false);
      assert.equal(checkpoint.storedBytes, 4 * parameterCount(checkpoint.config));
      assert.deepEqual(await checkpoint.read("lm_head.weight"), Float32Array.from(other));
    }
  }
});

Deno.test("openCheckpoint() compares a head with the token embedding in bands", async () => {
  // 1.1 million elements, which is more than one band of 4 MiB.
  const json = JSON.stringify({
    ...JSON.parse(CONFIG_JSON),
    n_embd: 1000,
    n_head: 4,
    n_layer: 1,
    vocab_size: 1100,
  });
  const shapes = tensorShapes(parseConfig(JSON.parse(json), "config.json"));
  const map = new Map<string, Stored>([["lm_head.weight", { shape: [1100, 1000] }]]);
  for (const [name, shape] of shapes) map.set(name, { shape });
  const zeros = Array.from({ length: 1_100_000 }, () => 0);
  for (const last of [0, 1]) {
    const values = { "wte.weight": zeros, "lm_head.weight": zeros.with(-1, last) };
    const { result, log } = await open(map, json, values);
    assert.equal((result as Checkpoint).config.tieWordEmbeddings, last === 0);
    assert.equal(log.dataBytes, 2 * 4 * 1_100_000);
    assert.ok(log.largestRead <= 4 << 20, `${log.largestRead}`);
  }
});

Deno.test("openCheckpoint() wants the head that tie_word_embeddings: false speaks of", async () => {
  await assertRefused(
    tensors(),
    "Cannot use m.safetensors: tensor lm_head.weight is missing, expected all that config.json calls for",
    UNTIED_JSON,
  );
});

Deno.test("openCheckpoint() ignores causal masks", async () => {
  const checkpoint = await opened(tensors({
    "h.0.attn.bias": { shape: [1, 1, 3, 3], dtype: "U8" },
    "h.0.attn.masked_bias": { shape: [] },
    "transformer.h.1.attn.bias": { shape: [1, 1, 3, 3] },
  }));
  assert.equal(checkpoint.storedBytes, 4 * parameterCount(checkpoint.config));
  await assert.rejects(checkpoint.read("h.7.ln_1.weight"), {
    message: 'Model test has no tensor "h.7.ln_1.weight"',
  });
});

Deno.test("openCheckpoint() reads no tensor, and keeps the file open until close()", async () => {
  const { result, log } = await open(tensors());
  assert.deepEqual(log, { closed: 0, dataBytes: 0, largestRead: 0 });
  (result as Checkpoint).close();
  assert.equal(log.closed, 1);
});

Deno.test("openCheckpoint() names tensors that are missing", async () => {
  await assertRefused(
    tensors({ "h.1.mlp.c_fc.bias": undefined }),
    "Cannot use m.safetensors: tensor h.1.mlp.c_fc.bias is missing, expected all that config.json calls for",
  );
  await assertRefused(
    new Map(),
    "Cannot use m.safetensors: tensors wte.weight, wpe.weight, h.0.ln_1.weight, h.0.ln_1.bias and 24 more are " +
      "missing, expected all that config.json calls for",
  );
});

Deno.test("openCheckpoint() names a tensor of the wrong shape, with both shapes", async () => {
  await assertRefused(
    tensors({ "h.0.attn.c_attn.weight": { shape: [12, 4] } }),
    "Cannot use m.safetensors: tensor h.0.attn.c_attn.weight is [12, 4], expected [4, 12] by config.json",
  );
  await assertRefused(
    tensors({ "lm_head.weight": { shape: [6, 4] } }),
    "Cannot use m.safetensors: tensor lm_head.weight is [6, 4], expected [5, 4] by config.json",
  );
});

Deno.test("openCheckpoint() names a tensor of integers", async () => {
  await assertRefused(
    tensors({ "ln_f.bias": { shape: [4], dtype: "U8" } }),
    "Cannot use m.safetensors: tensor ln_f.bias is U8, expected F32, F16 or BF16",
  );
});

Deno.test("openCheckpoint() names tensors that the model doesn't have", async () => {
  await assertRefused(
    tensors({ "multiple_choice_head.summary.weight": { shape: [1, 4] }, "lm_head.bias": { shape: [5] } }),
    'Cannot use m.safetensors: tensors "multiple_choice_head.summary.weight", "lm_head.bias" are not part of the ' +
      "GPT-2 that config.json describes",
  );
  await assertRefused(
    tensors({ "h.2.ln_1.weight": { shape: [4] } }),
    'Cannot use m.safetensors: tensor "h.2.ln_1.weight" is not part of the GPT-2 that config.json describes',
  );
});

Deno.test("openCheckpoint() refuses a tensor that is there under both names", async () => {
  await assertRefused(
    tensors({ "transformer.wpe.weight": { shape: [3, 4] } }),
    "Cannot use m.safetensors: tensor wpe.weight is there with and without transformer.",
  );
});

Deno.test("openCheckpoint() names a config that is not JSON", async () => {
  await assertRefused(tensors(), "Cannot use config.json: it is not JSON", "{");
});

Deno.test("tensorShapes() adds up to parameterCount()", () => {
  const tied = Object.values(PRESETS);
  for (const config of [...tied, ...tied.map((config) => ({ ...config, tieWordEmbeddings: false }))]) {
    const sizes = [...tensorShapes(config).values()].map((shape) =>
      shape.reduce((product, n) => product * n)
    );
    assert.equal(sizes.reduce((sum, n) => sum + n), parameterCount(config));
  }
});
