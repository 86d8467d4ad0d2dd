/**
 * The decode speed of pairs of strategies at contexts that `bench` cannot mix: full-size GPT-2 with synthetic weights. Both
 * of a pair take turns; a ratio is the median of the rounds' ratios, since a shared machine changes its speed.
 *
 *   deno run -A bench/strategy_speed.ts [--model gpt2] [--rounds 15] [--pairs window,h2o]
 */
import { parseArgs } from "node:util";
import { type PresetName, PRESETS } from "../src/checkpoint/config.ts";
import { SyntheticCheckpoint } from "../src/checkpoint/synthetic.ts";
import type { Decoder } from "../src/engine/decoder.ts";
import { openDecoder } from "../src/engine/with_decoder.ts";
import { openGpu } from "../src/host/gpu.ts";
import type { KvOptions } from "../src/kv/strategy_def.ts";
import { median, medianInterval } from "../src/measure/statistics/statistics.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { drawTable } from "../src/report/text_table.ts";

/** A strategy at a context. */
interface Cell {
  readonly name: string;
  readonly context: number;
  readonly options?: KvOptions;
}

/** Pairs by their first one's strategy. */
const PAIRS: Readonly<Record<string, readonly [Cell, Cell]>> = {
  "window": [
    { name: "window", context: 900, options: { sinks: 4, window: 124 } },
    { name: "kv-cache", context: 128 },
  ],
  "paged-gather": [{ name: "paged-gather", context: 900 }, { name: "paged", context: 900 }],
  "offload": [{ name: "offload", context: 900 }, { name: "kv-cache", context: 900 }],
  "h2o": [
    { name: "h2o", context: 900, options: { heavy: 128, recent: 128 } },
    { name: "kv-cache", context: 257 },
  ],
  "h2o-whole": [
    { name: "h2o", context: 900, options: { heavy: 449, recent: 450 } },
    { name: "kv-cache", context: 900 },
  ],
  "snapkv": [
    { name: "snapkv", context: 900, options: { budget: 256, observe: 32, pool_kernel: 5 } },
    { name: "kv-cache", context: 900 },
  ],
};

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "gpt2" },
    rounds: { type: "string", default: "15" },
    pairs: { type: "string", default: Object.keys(PAIRS).join(",") },
  },
});
const config = PRESETS[values.model as PresetName], rounds = Number(values.rounds);
/** Steps that are timed together. */
const STEPS = 4;

const gpu = await openGpu();
const model = await Gpt2.load(gpu, new SyntheticCheckpoint(values.model, config, 0));
console.log(`${values.model}, synthetic weights, on ${gpu.facts.description}; ${rounds} rounds in turns`);
const rows: string[][] = [];
for (const pair of values.pairs.split(",")) {
  const cells = PAIRS[pair]!, samples: [number[], number[]] = [[], []], decoders: Decoder[] = [];
  for (const { name: strategy, context, options } of cells) {
    // The context in the middle of all that is timed.
    const length = context - STEPS * rounds / 2 - 1, maxTokens = length + STEPS * (rounds + 1) + 1;
    const prompt = Array.from({ length: Math.floor(length) }, (_, i) => (i * 7919) % config.vocabSize);
    const sizes = { nSequences: 1, maxPromptTokens: prompt.length, maxTokens: Math.ceil(maxTokens) };
    const decoder = await openDecoder(model, { strategy, ...sizes, ...(options && { kvOptions: options }) });
    decoder.begin([prompt]);
    await decoder.advance(1 + STEPS); // compiles
    decoders.push(decoder);
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, decoder] of decoders.entries()) {
      await gpu.fence.wait();
      const start = performance.now();
      await decoder.advance(STEPS);
      await gpu.fence.wait();
      samples[i]!.push((performance.now() - start) / STEPS);
    }
  }
  for (const decoder of decoders) decoder.dispose();
  const ratios = samples[0].map((ms, round) => ms / samples[1][round]!);
  const shown = cells.map(({ name, context }, i) =>
    `${name} at ${context}: ${median(samples[i]!).toFixed(1)} ms`
  );
  const [low, high] = medianInterval(ratios);
  rows.push([...shown, median(ratios).toFixed(3), `${low.toFixed(3)}–${high.toFixed(3)}`]);
}
console.log(drawTable(rows, { head: ["a step", "against", "ratio", "95 % interval"] }));
model.dispose();
gpu.dispose();
