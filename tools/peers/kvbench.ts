/**
 * kvbench itself as one of the peers, with the kernel variants that it chooses for the adapter, and K and V in the
 * storage type of the weights.
 */
import { VERSION } from "../../src/base/version.ts";
import { SyntheticCheckpoint } from "../../src/checkpoint/synthetic.ts";
import { steppedLogits } from "../../src/engine/stepped_logits.ts";
import { openDecoder } from "../../src/engine/with_decoder.ts";
import { openGpu } from "../../src/host/gpu.ts";
import { autotune } from "../../src/model/autotune/autotune.ts";
import { Gpt2 } from "../../src/model/gpt2.ts";
import type { Job, Peer } from "./peer.ts";
import { serve } from "./serve.ts";

await serve(async ({ config, seed, storage, weightsDtype = storage }: Job): Promise<Peer> => {
  const gpu = await openGpu();
  const tuning = await autotune(gpu, { config, weightsDtype, kvDtype: storage });
  const model = await Gpt2.load(gpu, new SyntheticCheckpoint("gpt2", config, seed), {
    tuning,
    weightsDtype,
  });
  return {
    version: VERSION,
    runs_on: gpu.facts.description,
    kv: storage,
    open: async (maxPromptTokens, maxTokens) => {
      const size = { nSequences: 1, maxPromptTokens, maxTokens, kvDtype: storage };
      const decoder = await openDecoder(model, { strategy: "kv-cache", ...size });
      const advance = async (steps: number) => {
        await decoder.advance(steps);
        await gpu.fence.wait();
        gpu.assertHealthy();
      };
      return {
        begin: async (ids) => {
          decoder.begin([ids]);
          await advance(1);
        },
        generate: advance,
        logits: async (prompt, further) => {
          const [last] =
            (await Array.fromAsync(steppedLogits(decoder, [...prompt, ...further], prompt.length)))
              .slice(-1);
          return last!;
        },
      };
    },
  };
});
