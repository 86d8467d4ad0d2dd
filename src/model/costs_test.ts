import assert from "node:assert/strict";
import { kvRowBytes } from "../kv/shape.ts";
import { batchOf, type Span } from "./batch.ts";
import { PRESETS } from "../checkpoint/config.ts";
import { sequenceCost, stepCosts } from "./costs.ts";
import { memoryNeed } from "./memory.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "./tuning.ts";

const config = PRESETS.gpt2;
const f32 = { config, weightsDtype: "f32", kvDtype: "f32", tuning: HARDWARE_TUNING } as const;

Deno.test("stepCosts() of a decode step of gpt2 at context 130 are what pencil and paper give", () => {
  const costs = stepCosts(batchOf([{ sequence: 0, first: 129, count: 1, outputs: 1 }]), f32);
  // With the norm before it: gamma and beta, and four operations for each input.
  assert.deepEqual(costs["qkv"], {
    bytes: 12 * 4 * (768 * 2304 + 2304 + 768 + 2304 + 2 * 768),
    macs: 12 * (768 * 2304 + 4 * 768),
  });
  assert.deepEqual(costs["norm"], { bytes: 0, macs: 0 });
  assert.deepEqual(costs["proj"], { bytes: 12 * 4 * (768 * 768 + 4 * 768), macs: 12 * 768 * 768 });
  // 1571 workgroups of 32 logits, whose likeliest tokens are joined
  assert.deepEqual(costs["head"], { bytes: 4 * (768 * 50260 + 768 + 50260) + 8 * 1571, macs: 768 * 50260 });
  assert.deepEqual(costs["argmax"], { bytes: 0, macs: 0 });
  assert.deepEqual(costs["argmax join"], { bytes: 8 * 1571 + 4, macs: 0 });
  assert.deepEqual(costs["kv write"], { bytes: 12 * 4 * 4 * 768, macs: 0 });
  // 130 tokens in three splits
  assert.equal(costs["attention decode"].macs, 12 * 2 * 768 * 130);
  assert.equal(
    costs["attention decode"].bytes,
    12 * (4 * 768 + 130 * 2 * 4 * 768 + 3 * (4 * 768 + 16 * 12)),
  );
  assert.deepEqual(costs["attention combine"], {
    bytes: 12 * (3 * (4 * 768 + 16 * 12) + 4 * 768),
    macs: 12 * 3 * 768,
  });
  assert.deepEqual(costs["attention prefill"], { bytes: 0, macs: 0 });
});

Deno.test("stepCosts() of few rows count norms, K and V with QKV's product where that makes and stores them", () => {
  const costs = (rows: number) => {
    const spans = Array.from({ length: rows }, (_, s) => ({ sequence: s, first: 9, count: 1, outputs: 1 }));
    return stepCosts(batchOf(spans), { ...f32, kvDtype: "f16", storedRows: 2 });
  };
  const [stored, apart] = [costs(2), costs(3)];
  assert.deepEqual([stored["kv write"].bytes, apart["kv write"].bytes], [0, 3 * 12 * (2 + 1) * 4 * 768]);
  assert.equal(stored["qkv"].bytes, 12 * (4 * (768 * 2304 + 2304 + 2 * 4 * 768 + 2 * 768) + 2 * 2 * 2 * 768));
  assert.deepEqual(stored["norm"], { bytes: 0, macs: 0 });
  assert.deepEqual(apart["argmax"], { bytes: 3 * (4 * 50257 + 4), macs: 0 });
  assert.deepEqual(apart["argmax join"], { bytes: 3 * (8 * 64 + 4), macs: 0 });
  assert.deepEqual(apart["norm"], { bytes: 24 * 4 * (3 + 3 + 2) * 768, macs: 24 * 3 * 4 * 768 });
  assert.equal(apart["qkv"].bytes, 12 * 4 * (768 * 2304 + 2304 + 3 * 4 * 768));
});

Deno.test("stepCosts() count splits with the projection where that joins them", () => {
  const costs = (rows: number) => {
    const spans = Array.from({ length: rows }, (_, s) => ({ sequence: s, first: 129, count: 1, outputs: 1 }));
    return stepCosts(batchOf(spans), { ...f32, joinedRows: 1 });
  };
  const [joined, apart] = [costs(1), costs(2)];
  assert.deepEqual(joined["attention combine"], { bytes: 0, macs: 0 });
  // three splits in place of a row of the input
  assert.equal(joined["proj"].bytes, 12 * 4 * (768 * 768 + 3 * 768 + 3 * (768 + 4 * 12)));
  assert.equal(joined["proj"].macs, 12 * (768 * 768 + 3 * 768));
  assert.equal(apart["proj"].bytes, 12 * 4 * (768 * 768 + 768 + 2 * 3 * 768));
  assert.equal(apart["attention combine"].macs, 12 * 2 * 3 * 768);
});

Deno.test("stepCosts() of attention that is not split write its result at once", () => {
  const costs = stepCosts(batchOf([{ sequence: 0, first: 129, count: 1, outputs: 1 }]), {
    ...f32,
    tuning: SOFTWARE_TUNING,
  });
  assert.equal(costs["attention decode"].bytes, 12 * (2 * 4 * 768 + 130 * 2 * 4 * 768));
  assert.deepEqual(costs["attention combine"], { bytes: 0, macs: 0 });
});

Deno.test("stepCosts() read each weight once a step, in every storage type", () => {
  const batch = batchOf([{ sequence: 0, first: 0, count: 1, outputs: 1 }]);
  for (const weightsDtype of ["f32", "f16", "int8"] as const) {
    const costs = stepCosts(batch, { config, weightsDtype, kvDtype: "f32", tuning: HARDWARE_TUNING });
    const matrices = (["qkv", "proj", "fc", "out", "head"] as const).reduce(
      (sum, r) => sum + costs[r].bytes,
      0,
    );
    const found = 8 * 1571,
      activations = found + 4 * (12 * (768 + 2304 + 3 * 768 + 768 + 3072 + 3072 + 2 * 768) + 768 + 50260);
    const others = 4 * (1024 * 768 + 2 * 768); // wpe and the final norm
    const { weightsBytes } = memoryNeed(config, { weightsDtype, tileGroup: 1 });
    assert.equal(matrices - activations + others, weightsBytes, weightsDtype);
  }
});

Deno.test("stepCosts() of a mixed batch count every pair of a row and a token up to it", () => {
  const spans: Span[] = [
    { sequence: 0, first: 5, count: 13, outputs: 1 },
    { sequence: 1, first: 70, count: 1, outputs: 1 },
    { sequence: 2, first: 0, count: 8, outputs: 0 },
  ];
  const { "attention prefill": prefill, "attention decode": decode, head } = stepCosts(batchOf(spans), {
    ...f32,
    kvDtype: "int8",
  });
  let pairs = 0;
  for (const { first, count } of spans.filter(({ count }) => count > 1)) {
    for (let row = 0; row < count; row++) for (let p = 0; p <= first + row; p++) pairs++;
  }
  const row = kvRowBytes({ a4: 192, nHead: 12, dtype: "int8" });
  assert.equal(row, 2 * 768 + 2 * 12 * 4);
  assert.equal(prefill.macs, 12 * 2 * 768 * pairs);
  assert.equal(prefill.bytes, 12 * (21 * 2 * 4 * 768 + (18 + 8) * row));
  assert.equal(decode.macs, 12 * 2 * 768 * 71);
  assert.equal(head.macs, 2 * 768 * 50260);
});

Deno.test("sequenceCost() adds up a step's kernels: of a decode step, above all weights, K and V", () => {
  const { bytes, macs } = sequenceCost({ first: 129, count: 1 }, f32);
  const parameters = 12 * 12 * 768 * 768 + 768 * 50257, kv = 12 * 2 * 4 * 768 * 130;
  assert.ok(bytes > 4 * parameters + kv && bytes < 1.01 * (4 * parameters + kv), `${bytes}`);
  assert.ok(macs > parameters && macs < 1.03 * parameters, `${macs}`);
});
