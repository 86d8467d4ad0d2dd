/**
 * llama.cpp as `node-llama-cpp` packs it, built for CPUs or for Vulkan: its own model and context, asked token by token.
 */
import { getLlama, getModuleVersion, LlamaLogLevel, type LlamaModel, type Token } from "node-llama-cpp";
import type { Job, Peer, Sequence } from "../peer.ts";
import { serve } from "../serve.ts";

await serve(async ({ device, storage, weights }: Job): Promise<Peer> => {
  const gpu = device === "vulkan" && device;
  const llama = await getLlama({ gpu, build: "never", skipDownload: true, logLevel: LlamaLogLevel.error });
  const devices = await llama.getGpuDeviceNames();
  if (gpu && devices.length === 0) {
    throw new Error("llama.cpp takes no Vulkan adapter here, and would compute on the CPU without a word");
  }
  const model = await llama.loadModel({ modelPath: `${weights}.gguf`, gpuLayers: gpu ? "max" : 0 });
  const kv = storage === "f32" ? "F32" : "F16";
  return {
    version: `${await getModuleVersion()} (llama.cpp ${llama.llamaCppRelease.release})`,
    runs_on: gpu ? devices.join(", ") : `CPU, ${llama.cpuMathCores} threads`,
    kv: kv.toLowerCase(),
    open: (batchSize, contextSize) => open(model, { batchSize, contextSize }, kv),
  };
});

/** Makes a context of one sequence. */
async function open(
  model: LlamaModel,
  sizes: { readonly batchSize: number; readonly contextSize: number },
  kv: "F32" | "F16",
): Promise<Sequence> {
  const context = await model.createContext({
    ...sizes,
    threads: model.llama.cpuMathCores,
    experimentalKvCacheKeyType: kv,
    experimentalKvCacheValueType: kv,
  });
  const sequence = context.getSequence();
  const ids = (plain: readonly number[]) => plain as readonly number[] as Token[];
  let next: Token | undefined;
  const step = async (tokens: Token[], probabilities: boolean) => {
    const output = await sequence.controlledEvaluate([
      ...tokens.slice(0, -1),
      [tokens.at(-1)!, { generateNext: { token: true, probabilities, options: { temperature: 0 } } }],
    ]);
    const found = output[tokens.length - 1]!.next;
    next = found.token!;
    return found.probabilities;
  };
  return {
    begin: async (prompt) => {
      await sequence.clearHistory();
      await step(ids(prompt), false);
    },
    generate: async (steps) => {
      for (let i = 0; i < steps; i++) await step([next!], false);
    },
    logits: async (prompt, further) => {
      await sequence.clearHistory();
      await step(ids(prompt), false);
      let probabilities: Map<Token, number> | undefined;
      for (const id of ids(further)) probabilities = await step([id], true);
      const logits: number[] = [];
      for (const [id, probability] of probabilities!) logits[id] = Math.log(probability);
      return logits;
    },
  };
}
