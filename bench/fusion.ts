/**
 * What fused kernels save in a decode step of full-size GPT-2 on this adapter: steps with the default variants and with
 * each fusion turned the other way take turns, over the same synthetic weights. A ratio is that of the times which a tenth
 * of the rounds stay below; in brackets stands the median of the rounds' own.
 *
 *   deno run --allow-env=XDG_RUNTIME_DIR bench/fusion.ts [--rounds 100] [--context 128] [--sequences 1]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { PRESETS } from "../src/checkpoint/config.ts";
import { SyntheticCheckpoint } from "../src/checkpoint/synthetic.ts";
import { openDecoder } from "../src/engine/with_decoder.ts";
import { WEIGHT_DTYPES } from "../src/formats/registry.ts";
import { openGpu } from "../src/host/gpu.ts";
import { plainStrategy } from "../src/kv/registry.ts";
import { median } from "../src/measure/statistics/statistics.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { HARDWARE_TUNING, type Tuning, tuningFor } from "../src/model/tuning.ts";
import { drawTable } from "../src/report/text_table.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "100" },
    context: { type: "string", default: "128" },
    sequences: { type: "string", default: "1" },
    hardware: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds),
  context = Number(options.context),
  nSequences = Number(options.sequences);
/** Steps that are timed together. */
const STEPS = 2;

/** What a tenth of the samples stay below: other work on the machine only adds. */
const tenth = (samples: readonly number[]) =>
  samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 10)]!;

const gpu = await openGpu(), config = PRESETS.gpt2;
const tuning = options.hardware ? HARDWARE_TUNING : tuningFor(gpu.facts);
const variants: Readonly<Record<string, Partial<Tuning>>> = {
  "as it is, once more": {},
  "layer norms made the other way": { normedRows: tuning.normedRows > 0 ? 0 : tuning.maxSingleRows },
  "K and V stored the other way": { storedRows: tuning.storedRows > 0 ? 0 : tuning.maxSingleRows },
};
const cells = new Map(Object.keys(variants).map((name) => [name, [] as string[]]));
for (const weightsDtype of WEIGHT_DTYPES) {
  const model = await Gpt2.load(gpu, new SyntheticCheckpoint("gpt2", config, 0), { tuning, weightsDtype });
  const decoders = await Promise.all([{}, ...Object.values(variants)].map(async (variant) => {
    const decoder = await openDecoder(model.withTuning({ ...tuning, ...variant }), {
      ...{
        strategy: plainStrategy().name,
        nSequences,
        maxPromptTokens: context,
        maxTokens: context + 1 + STEPS * (rounds + 1),
      },
    });
    return { decoder, ms: [] as number[] };
  }));
  const prompts = Array.from({ length: nSequences }, () => Array.from({ length: context }, (_, i) => i));
  for (const { decoder } of decoders) {
    decoder.begin(prompts);
    decoder.advance(1);
  }
  for (let round = 0; round <= rounds; round++) {
    for (const { decoder, ms } of decoders) {
      await gpu.fence.wait();
      const start = performance.now();
      decoder.advance(STEPS);
      await gpu.fence.wait();
      if (round > 0) ms.push((performance.now() - start) / STEPS);
    }
    gpu.assertHealthy();
  }
  const [base, ...others] = decoders.map(({ ms }) => ms) as [number[], ...number[][]];
  Object.keys(variants).forEach((name, i) => {
    const ratios = others[i]!.map((ms, round) => ms / base[round]!);
    cells.get(name)!.push(`${(tenth(others[i]!) / tenth(base)).toFixed(3)} (${median(ratios).toFixed(3)})`);
  });
  console.log(`${weightsDtype}: ${tenth(base).toFixed(1)} ms`);
  for (const { decoder } of decoders) decoder.dispose();
  model.dispose();
}
console.log(drawTable([...cells].map(([name, row]) => [name, ...row]), { head: ["", ...WEIGHT_DTYPES] }));
gpu.dispose();
