/**
 * The speed of full-size GPT-2 on this adapter, with synthetic weights, for every storage type: decode at two contexts,
 * prefill at two lengths, a batch of eight, and ratios between strategies. All measurements take turns, and a figure is
 * the median of the rounds. A ratio is the median of each round's ratio, since a shared machine changes its speed. The
 * adapter's best is the least time for a step's bytes and multiply-adds at the rates that probes reach in the same turns.
 *
 *   deno task speed [--model gpt2-medium] [--rounds 7]
 */
import { parseArgs } from "node:util";
import { type PresetName, PRESETS } from "../src/checkpoint/config.ts";
import { SyntheticCheckpoint } from "../src/checkpoint/synthetic.ts";
import type { Decoder } from "../src/engine/decoder.ts";
import { openDecoder } from "../src/engine/with_decoder.ts";
import { type Dtype, formatOf, WEIGHT_DTYPES } from "../src/formats/registry.ts";
import { leastMs, makeProbes } from "../src/gpu/roof.ts";
import { openGpu } from "../src/host/gpu.ts";
import { sequenceCost } from "../src/model/costs.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { autotune } from "../src/model/autotune/autotune.ts";
import { median } from "../src/measure/statistics/statistics.ts";
import { drawTable } from "../src/report/text_table.ts";
import { formatPercent } from "../src/report/units.ts";

const { values: options } = parseArgs({
  options: {
    model: { type: "string", default: "gpt2" },
    rounds: { type: "string", default: "5" },
    context: { type: "string", default: "512" },
  },
});
const config = PRESETS[options.model as PresetName];
const rounds = Number(options.rounds);
const LONG = Number(options.context), SHORT = 128, BATCH = 8;
/** Steps that are timed together, and the turns of each decoder in a round. */
const STEPS = 8, TURNS = 2;
/** Time for a measurement of the adapter's best rates. */
const ROOF_MS = 100;

/** A measurement, which takes turns with the others. */
interface Measure {
  readonly name: string;
  /** Milliseconds of one step or prefill. */
  run(): Promise<number>;
}

const gpu = await openGpu();
console.log(`${options.model}, synthetic weights, on ${gpu.facts.description}; median of ${rounds} rounds`);
const probes = await makeProbes(gpu);
const rows: string[][] = [];
/** A sample of each round, by storage type and measurement. */
const columns = new Map<Dtype, Map<string, number[]>>();
for (const dtype of WEIGHT_DTYPES) columns.set(dtype, await measureAll(dtype));
type Samples = (measure: string) => readonly number[];
const row = (name: string, cell: (of: Samples) => string) =>
  rows.push([name, ...WEIGHT_DTYPES.map((dtype) => cell((measure) => columns.get(dtype)!.get(measure)!))]);
const ms = (samples: readonly number[]) => `${median(samples).toFixed(1)} ms`;
const rate = (tokens: number, samples: readonly number[]) =>
  `${(1000 * tokens / median(samples)).toFixed(1)} tok/s`;
const ratio = (above: readonly number[], below: readonly number[]) =>
  median(above.map((sample, round) => sample / below[round]!));
/** A step at the adapter's best rates over the step, both of the same turn. */
const share = (of: Samples, step: string) => formatPercent(ratio(of(`${step} at best`), of(step)), 1);
row(`decode after ${SHORT} tokens`, (of) => ms(of("decode short")));
row("  share of the adapter's best", (of) => share(of, "decode short"));
row(`decode after ${LONG} tokens`, (of) => ms(of("decode long")));
row("  longer over shorter", (of) => ratio(of("decode long"), of("decode short")).toFixed(3));
row(`paged over kv-cache, after ${LONG}`, (of) => ratio(of("decode paged"), of("decode long")).toFixed(3));
row(`prefill of ${SHORT}`, (of) => rate(SHORT, of("prefill short")));
row(`prefill of ${LONG}`, (of) => rate(LONG, of("prefill long")));
row("  share of the adapter's best", (of) => share(of, "prefill long"));
row(
  `${BATCH} sequences over one, tok/s`,
  (of) => (BATCH * ratio(of("decode short"), of("decode batch"))).toFixed(2),
);
row(
  `no-cache step over prefill, ${SHORT} tokens`,
  (of) => ratio(of("no-cache"), of("prefill short")).toFixed(3),
);
console.log(
  drawTable(rows, {
    head: ["", ...WEIGHT_DTYPES.map((dtype) => `${dtype} weights, ${kvBeside(dtype)} K/V`)],
  }),
);
probes.dispose();
gpu.dispose();

/** K and V of a type that is for weights alone are in the one whose bytes it has. */
function kvBeside(dtype: Dtype): Dtype {
  return formatOf(dtype).kv ? dtype : "int8";
}

async function measureAll(dtype: Dtype): Promise<Map<string, number[]>> {
  const kvDtype = kvBeside(dtype);
  const tuning = await autotune(gpu, { config, weightsDtype: dtype, kvDtype });
  const model = await Gpt2.load(gpu, new SyntheticCheckpoint(options.model, config, 0), {
    tuning,
    weightsDtype: dtype,
  });
  const free: (() => void)[] = [];
  const make = async (strategy: string, nSequences: number, prompt: number): Promise<Decoder> => {
    const maxTokens = prompt + 1 + STEPS * TURNS * (rounds + 1);
    const size = { nSequences, maxPromptTokens: prompt, maxTokens };
    const decoder = await openDecoder(model, { strategy, kvDtype, ...size });
    free.push(() => decoder.dispose());
    return decoder;
  };
  const prompts = (count: number, length: number) =>
    Array.from(
      { length: count },
      (_, s) => Array.from({ length }, (_, i) => (i * 7919 + s) % config.vocabSize),
    );
  const timed = async (body: () => void): Promise<number> => {
    await gpu.fence.wait();
    const start = performance.now();
    body();
    await gpu.fence.wait();
    return performance.now() - start;
  };
  const decode = async (
    name: string,
    strategy: string,
    count: number,
    length: number,
  ): Promise<Measure> => {
    const decoder = await make(strategy, count, length);
    decoder.begin(prompts(count, length));
    decoder.advance(1);
    return { name, run: async () => await timed(() => decoder.advance(STEPS)) / STEPS };
  };
  const prefill = async (name: string, length: number): Promise<Measure> => {
    const decoder = await make("kv-cache", 1, length);
    return {
      name,
      run: () =>
        timed(() => {
          decoder.begin(prompts(1, length));
          decoder.advance(1);
        }),
    };
  };
  const atBest = (step: string, rows: Parameters<typeof sequenceCost>[0]): Measure => {
    const cost = sequenceCost(rows, { config, weightsDtype: dtype, kvDtype, tuning });
    return { name: `${step} at best`, run: async () => leastMs(cost, await probes.measure(ROOF_MS)) };
  };
  const noCache = await make("no-cache", 1, SHORT);
  const decodes: Measure[] = [
    await decode("decode short", "kv-cache", 1, SHORT),
    atBest("decode short", { first: SHORT, count: 1 }),
    await decode("decode long", "kv-cache", 1, LONG),
    await decode("decode paged", "paged", 1, LONG),
    await decode("decode batch", "kv-cache", BATCH, SHORT),
  ];
  const measures: Measure[] = [
    ...Array<Measure[]>(TURNS).fill(decodes).flat(),
    await prefill("prefill short", SHORT),
    await prefill("prefill long", LONG),
    atBest("prefill long", { first: 0, count: LONG }),
    {
      name: "no-cache",
      run: async () => {
        // The step after a prefill of one less recomputes SHORT tokens.
        noCache.begin(prompts(1, SHORT - 1));
        noCache.advance(1);
        return await timed(() => noCache.advance(1));
      },
    },
  ];
  const samples = new Map<string, number[]>(measures.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const { name, run } of measures) {
      const sample = await run();
      if (round > 0) samples.get(name)!.push(sample);
      gpu.assertHealthy();
    }
  }
  for (const each of free) each();
  model.dispose();
  return samples;
}
