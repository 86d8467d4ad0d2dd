import assert from "node:assert/strict";
import { type Gpt2Config, PRESETS } from "../checkpoint/config.ts";
import { memoryNeed } from "./memory.ts";

Deno.test("memoryNeed() counts 4 bytes a parameter, and the padding of the vocabulary", () => {
  for (const [name, config] of Object.entries(PRESETS)) {
    for (const [tileGroup, padding] of [[1, 3], [4, 15]] as const) {
      const { parameters, weightsBytes } = memoryNeed(config, { tileGroup });
      // 50257 ids are padded to 50260, or to 50272 in groups of 16; GPT-2's other widths are multiples of both.
      assert.equal(weightsBytes, 4 * (parameters + padding * config.nEmbd), name);
    }
  }
});

Deno.test("memoryNeed() counts a head of its own as another token embedding, in every storage type", () => {
  for (const [weightsDtype, bytes] of [["f32", 4], ["f16", 2], ["int8", 1]] as const) {
    const tied = memoryNeed(PRESETS.gpt2, { tileGroup: 4, weightsDtype });
    const untied = memoryNeed({ ...PRESETS.gpt2, tieWordEmbeddings: false }, { tileGroup: 4, weightsDtype });
    const scales = weightsDtype === "int8" ? 4 * 50260 : 0;
    assert.equal(untied.weightsBytes - tied.weightsBytes, bytes * 50272 * 768 + scales);
    assert.equal(untied.totalBytes - tied.totalBytes, untied.weightsBytes - tied.weightsBytes);
    assert.equal(untied.parameters - tied.parameters, 50257 * 768);
  }
});

Deno.test("memoryNeed() gives the published K/V bytes per token", () => {
  const perToken = Object.values(PRESETS).map((config) =>
    memoryNeed(config, { tileGroup: 1 }).kvBytesPerToken
  );
  // 2 · layers · width · 4
  const expected = [[6, 768], [12, 768], [24, 1024], [36, 1280], [48, 1600]].map(([l = 0, e = 0]) =>
    8 * l * e
  );
  assert.deepEqual(perToken, expected);
});

Deno.test("memoryNeed() adds weights, activations and K/V of a full context up", () => {
  for (const config of Object.values(PRESETS)) {
    const need = memoryNeed(config, { tileGroup: 1 });
    assert.equal(
      need.totalBytes,
      need.weightsBytes + need.activationsBytes + need.kvBytesPerToken * config.nCtx,
    );
  }
});

Deno.test("memoryNeed() pads awkward widths", () => {
  const config: Gpt2Config = {
    ...PRESETS.gpt2,
    nLayer: 1,
    nHead: 3,
    nEmbd: 15, // padded to 16
    headDim: 5, // padded to 8 per head, 24 in all
    nInner: 9, // padded to 12
    nCtx: 7,
    vocabSize: 5, // padded to 8
  };
  const { weightsBytes, kvBytesPerToken } = memoryNeed(config, { tileGroup: 1 });
  const layer = 16 * 72 + 72 + 24 * 16 + 16 + 16 * 12 + 12 + 12 * 16 + 16 + 4 * 16;
  assert.equal(weightsBytes, 4 * (8 * 16 + 7 * 16 + layer + 2 * 16));
  assert.equal(kvBytesPerToken, 2 * 24 * 4);
});

Deno.test("memoryNeed() names the largest buffer that can't be split", () => {
  const { largestBuffer, largestBufferBytes } = memoryNeed(PRESETS["gpt2-xl"], { tileGroup: 4 });
  assert.equal(largestBuffer, "a layer's feed-forward matrix");
  assert.equal(largestBufferBytes, 4 * 1600 * 6400);
});
