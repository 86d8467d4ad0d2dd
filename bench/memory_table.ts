/**
 * The GPU memory of each GPT-2 by storage type: loads it with synthetic weights, reserves 1024 tokens of K/V, and prints
 * the ledger's counts as a Markdown table. A model that does not fit gets a row that says so.
 *
 *   deno task memory
 */
import { type PresetName, PRESETS } from "../src/checkpoint/config.ts";
import { SyntheticCheckpoint } from "../src/checkpoint/synthetic.ts";
import { openDecoder } from "../src/engine/with_decoder.ts";
import { formatOf, WEIGHT_DTYPES } from "../src/formats/registry.ts";
import { openGpu } from "../src/host/gpu.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { checkMemory } from "../src/cli/session/memory_check.ts";
import { KvbenchError } from "../src/base/errors.ts";
import { tuningFor } from "../src/model/tuning.ts";
import { formatBytes } from "../src/report/units.ts";

const TOKENS = 1024;

const gpu = await openGpu();
console.log("| model | weights and K/V | weights | K/V per token | K/V of 1024 tokens |");
console.log("| --- | --- | ---: | ---: | ---: |");
for (const name of Object.keys(PRESETS) as PresetName[]) {
  const config = PRESETS[name];
  for (const dtype of WEIGHT_DTYPES.filter((dtype) => formatOf(dtype).kv)) {
    try {
      const tuning = tuningFor(gpu.facts);
      checkMemory(
        gpu,
        { name, config },
        { ...tuning, weightsDtype: dtype, kvDtype: dtype },
        { say: console.error },
      );
      const checkpoint = new SyntheticCheckpoint(name, config, 0);
      const model = await Gpt2.load(gpu, checkpoint, { tuning, weightsDtype: dtype });
      const { weights } = gpu.ledger.current;
      const decoder = await openDecoder(model, {
        strategy: "paged",
        kvDtype: dtype,
        nSequences: 1,
        maxPromptTokens: 1,
        maxTokens: TOKENS,
      });
      const { kv } = gpu.ledger.current;
      console.log(
        `| ${name} | ${dtype} | ${formatBytes(weights)} | ${formatBytes(kv / TOKENS)} | ${formatBytes(kv)} |`,
      );
      decoder.dispose();
      model.dispose();
    } catch (error) {
      if (!(error instanceof KvbenchError)) throw error;
      console.log(`| ${name} | ${dtype} | ${error.message} | | |`);
    }
  }
}
gpu.dispose();
