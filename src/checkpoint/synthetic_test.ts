import assert from "node:assert/strict";
import { tensorShapes } from "./tensors.ts";
import { PRESETS } from "./config.ts";
import { SyntheticCheckpoint } from "./synthetic.ts";

const config = { ...PRESETS.gpt2, vocabSize: 1000, nLayer: 2, tieWordEmbeddings: false };

/** Mean and standard deviation. */
function moments(values: Float32Array): [mean: number, deviation: number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return [mean, Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)];
}

Deno.test("SyntheticCheckpoint has GPT-2's initialisation scale in every tensor", async () => {
  const checkpoint = new SyntheticCheckpoint("gpt2", config, 1);
  for (const [name, shape] of tensorShapes(config)) {
    const values = await checkpoint.read(name);
    assert.equal(values.length, shape.reduce((product, size) => product * size, 1), name);
    const [mean, deviation] = moments(values);
    if (shape.length === 1) {
      assert.deepEqual([mean, deviation], [/ln_.*weight/.test(name) ? 1 : 0, 0], name);
      continue;
    }
    const expected = name.endsWith("c_proj.weight") ? 0.02 / Math.sqrt(4) : 0.02;
    assert.ok(Math.abs(deviation / expected - 1) < 0.01, `${name}: ${deviation}`);
    assert.ok(Math.abs(mean) < expected / 100, `${name}: ${mean}`);
  }
});

Deno.test("SyntheticCheckpoint makes rows as it makes the whole, and other values for another seed or tensor", async () => {
  const checkpoint = new SyntheticCheckpoint("gpt2", config, 1);
  const whole = await checkpoint.read("wte.weight");
  const rows = await checkpoint.read("wte.weight", { first: 7, count: 3 });
  assert.deepEqual(rows, whole.slice(7 * 768, 10 * 768));
  const others = [
    await new SyntheticCheckpoint("gpt2", config, 2).read("wte.weight"),
    await checkpoint.read("h.0.attn.c_attn.weight"),
    await checkpoint.read("h.1.attn.c_attn.weight"),
  ];
  for (const other of others) {
    const product = other.subarray(0, 768000).reduce((sum, value, i) => sum + value * whole[i]!, 0);
    assert.ok(Math.abs(product / 768000) < 0.02 ** 2 / 100, `correlated: ${product}`);
  }
});
