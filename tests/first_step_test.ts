/** What is compiled before the first token: the kernels of the first step, and no other. */
import assert from "node:assert/strict";
import type { Decoder } from "../src/engine/decoder.ts";
import { generate } from "../src/engine/generate.ts";
import { openDecoder } from "../src/engine/with_decoder.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { SUBGROUPS } from "../src/gpu/subgroups.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { GREEDY } from "../src/model/sampling.ts";
import { AWKWARD, randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpuTest } from "./gpu_support.ts";

/** Runs `body` and returns the last source file of each kernel that was made meanwhile. */
async function kernelsOf(gpu: Gpu, body: () => Promise<unknown>): Promise<string[]> {
  const made: string[] = [];
  const { device } = gpu, make = device.createShaderModule;
  device.createShaderModule = (descriptor) => {
    made.push(descriptor.label!.split(/ \+ |\//).at(-1)!);
    return make.call(device, descriptor);
  };
  try {
    await body();
  } finally {
    device.createShaderModule = make;
  }
  return made.filter((name) => name !== SUBGROUPS.name).sort(); // a question to the compiler, and no kernel
}

gpuTest(
  "A greedy first token compiles the eleven kernels of its step, and the next one the rest",
  async (gpu) => {
    const { checkpoint } = await randomCheckpoint(AWKWARD);
    const model = await Gpt2.load(gpu, checkpoint);
    const sizes = { nSequences: 1, maxPromptTokens: 5, maxTokens: 9 };
    let decoder: Decoder | undefined;
    const request = { prompts: [[1, 2, 3, 4, 5]], maxNewTokens: 4, sampling: [GREEDY] };
    let chunks: AsyncGenerator<number[][]> | undefined;
    const first = await kernelsOf(gpu, async () => {
      decoder = await openDecoder(model, {
        ...sizes,
        strategy: "kv-cache",
        sampled: false,
        firstStepFirst: true,
      });
      chunks = generate(decoder, request);
      assert.equal((await chunks.next()).value![0]!.length, 1);
    });
    assert.equal(first.length, 11, first.join(", "));
    for (const name of ["sample.wgsl", "kv_copy.wgsl", "attention_decode.wgsl", "linear_rows_tall.wgsl"]) {
      assert.ok(!first.includes(name), name);
    }
    const rest = await kernelsOf(gpu, async () => {
      assert.equal((await chunks!.next()).value![0]!.length, 3);
    });
    assert.ok(rest.includes("attention_decode.wgsl"), rest.join(", "));
    assert.ok(!rest.includes("sample.wgsl") && !rest.includes("linear_rows_tall.wgsl"), rest.join(", "));
    await chunks!.return(undefined);
    decoder!.dispose();
    model.dispose();
    checkpoint.close();
  },
);
