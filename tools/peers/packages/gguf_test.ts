import assert from "node:assert/strict";
import { gguf } from "@huggingface/gguf";
import { parameterCount, PRESETS } from "../../../src/checkpoint/config.ts";
import { SyntheticCheckpoint } from "../../../src/checkpoint/synthetic.ts";
import { ggufBytes, ggufHeader } from "../gguf.ts";
import { writeParts } from "../write_parts.ts";

const config = {
  ...PRESETS.gpt2,
  vocabSize: 96,
  nCtx: 16,
  nEmbd: 64,
  nHead: 2,
  headDim: 32,
  nInner: 96,
  nLayer: 2,
};

Deno.test("Hugging Face's reader finds the keys, the tensors and their offsets in a GGUF file", async () => {
  const path = await Deno.makeTempFile({ prefix: "kvbench_", suffix: ".gguf" });
  try {
    await writeParts(path, ggufBytes(new SyntheticCheckpoint("small", config, 5), "int8"));
    const { metadata, tensorInfos, tensorDataOffset, parameterCount: count } = await gguf(path, {
      allowLocalFile: true,
      computeParametersCount: true,
    });
    const { header, tensors } = ggufHeader(config, "int8");
    assert.equal(metadata["general.architecture"], "gpt2");
    assert.equal(metadata["gpt2.attention.head_count"], 2);
    assert.equal(Number(tensorDataOffset), header.length);
    assert.deepEqual(
      tensorInfos.map(({ name, offset }) => [name, Number(offset)]),
      tensors.map(({ name, offset }) => [name, offset]),
    );
    assert.equal(count, parameterCount(config));
  } finally {
    await Deno.remove(path);
  }
});
