/**
 * `Deno.bench` suite of the three strategies: four decode steps of the embedded model after a prefill that is not
 * timed. Needs no permission: the weights are imported. `kvbench bench` gives TTFT, TPOT and memory.
 */
import configJson from "../weights/tiny/config.json" with { type: "text" };
import weights from "../weights/tiny/model.safetensors" with { type: "bytes" };
import { openDecoder } from "../src/engine/with_decoder.ts";
import { openGpu } from "../src/host/gpu.ts";
import { plainStrategy, strategyNames } from "../src/kv/registry.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { memorySource } from "../src/checkpoint/byte_source.ts";
import { openCheckpoint } from "../src/checkpoint/checkpoint.ts";

/** Contexts at which a step is timed: where the strategies are close, and where no-cache has bent away. */
const CONTEXTS = [64, 512];
const STEPS = 4;

const gpu = await openGpu();
const checkpoint = await openCheckpoint({
  name: "tiny",
  configJson,
  configName: "weights/tiny/config.json",
  weights: [{ bytes: memorySource(weights), name: "weights/tiny/model.safetensors" }],
});
const model = await Gpt2.load(gpu, checkpoint);
const { nCtx, vocabSize } = model.config;
const kvOptions = { kv_capacity_tokens: nCtx };

// A first figure from the few kernels of single rows: what the suite needs takes drivers a while to compile.
{
  const { name } = plainStrategy(), steps = 16;
  const decoder = await openDecoder(model, {
    ...{ strategy: name, kvOptions, nSequences: 1, maxPromptTokens: 1, maxTokens: 2 * steps + 1 },
  });
  decoder.begin([[0]]);
  decoder.advance(steps);
  await gpu.fence.wait();
  const start = performance.now();
  decoder.advance(steps);
  await gpu.fence.wait();
  const ms = (performance.now() - start) / steps;
  console.log(`First look: ${name} takes ${ms.toFixed(2)} ms per token at contexts up to ${2 * steps}`);
  decoder.dispose();
}

for (const context of CONTEXTS) {
  const prompt = Array.from({ length: context }, (_, i) => (i * 7919) % vocabSize);
  const maxTokens = context + STEPS + 1;
  for (const name of strategyNames("bench")) {
    const decoder = await openDecoder(model, {
      strategy: name,
      kvOptions,
      nSequences: 1,
      maxPromptTokens: context,
      maxTokens,
    });
    const request = async (steps: number) => {
      decoder.begin([prompt]);
      decoder.advance(1);
      await gpu.fence.wait();
      return () => decoder.advance(steps);
    };
    Deno.bench({
      name: `${name}: ${STEPS} tokens`,
      group: `decode at context ${context}`,
      baseline: name === "no-cache",
      n: 4,
      warmup: 1,
      fn: async (bench) => {
        const advance = await request(STEPS);
        bench.start();
        advance();
        await gpu.fence.wait();
        bench.end();
        gpu.assertHealthy();
      },
    });
  }
}
