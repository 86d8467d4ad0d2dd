import assert from "node:assert/strict";
import { PRESETS } from "../../src/checkpoint/config.ts";
import { SyntheticCheckpoint } from "../../src/checkpoint/synthetic.ts";
import { ggufBytes, ggufHeader } from "./gguf.ts";
import { STORAGES } from "./peer.ts";

const CONFIG = {
  ...PRESETS.gpt2,
  vocabSize: 37,
  nCtx: 8,
  nEmbd: 64,
  nHead: 2,
  headDim: 32,
  nInner: 96,
  nLayer: 1,
};
const MODEL = new SyntheticCheckpoint("small", CONFIG, 3);

async function fileOf(storage: typeof STORAGES[number]): Promise<DataView> {
  const parts = await Array.fromAsync(ggufBytes(MODEL, storage));
  return new DataView(await new Blob(parts as BlobPart[]).arrayBuffer());
}

Deno.test("A GGUF file begins with its magic, version 3 and counts, and its tensors are at multiples of 32 bytes", async () => {
  for (const storage of STORAGES) {
    const file = await fileOf(storage), { header, tensors } = ggufHeader(CONFIG, storage);
    assert.equal(new TextDecoder().decode(new Uint8Array(file.buffer, 0, 4)), "GGUF");
    assert.equal(file.getUint32(4, true), 3);
    assert.equal(Number(file.getBigUint64(8, true)), 16); // 12 of the layer, 2 embeddings, 2 of the final norm
    assert.equal(header.length % 32, 0);
    assert.deepEqual(tensors.filter(({ offset }) => offset % 32 !== 0), []);
    assert.equal(new Set(tensors.map(({ name }) => name)).size, 16);
  }
});

Deno.test("A GGUF file has a layer's matrix as [outputs, inputs] at its offset", async () => {
  const file = await fileOf("f32"), { header, tensors } = ggufHeader(CONFIG, "f32");
  const { offset } = tensors.find(({ name }) => name === "blk.0.ffn_up.weight")!;
  const matrix = await MODEL.read("h.0.mlp.c_fc.weight"); // [64, 96]
  for (const [input, output] of [[0, 0], [1, 0], [0, 1], [63, 95]] as const) {
    const at = header.length + offset + 4 * (output * 64 + input);
    assert.equal(file.getFloat32(at, true), matrix[input * 96 + output]);
  }
});

Deno.test("A GGUF file in 8 bits has a float16 scale before 32 integers, and each value within half a step", async () => {
  const file = await fileOf("int8"), { header, tensors } = ggufHeader(CONFIG, "int8");
  const { offset } = tensors.find(({ name }) => name === "token_embd.weight")!;
  const values = await MODEL.read("wte.weight");
  for (let i = 0; i < values.length; i++) {
    const block = header.length + offset + 34 * Math.floor(i / 32);
    const scale = file.getFloat16(block, true);
    const stored = scale * file.getInt8(block + 2 + i % 32);
    // The scale itself is rounded: up to 127 steps of 2^-11 of it.
    assert.ok(Math.abs(stored - values[i]!) <= scale * (0.5 + 127 / 2048), `value ${i}`);
  }
});
