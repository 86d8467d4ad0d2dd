/**
 * The time that fused kernels save in a decode step of full-size GPT-2 on this adapter. The stages of all layers that a
 * fusion touches take turns, with it and without, over the same synthetic weights: they are short enough to be undisturbed
 * now and then on a machine with other work. Times are those that a tenth of the rounds stay below, less what an empty
 * submission takes.
 *
 *   deno run --allow-env=XDG_RUNTIME_DIR bench/fusion.ts [--rounds 300] [--rows 1] [--hardware]
 */
import { parseArgs } from "node:util";
import { isDeepEqual } from "../src/base/equal.ts";
import { PRESETS } from "../src/checkpoint/config.ts";
import { SyntheticCheckpoint } from "../src/checkpoint/synthetic.ts";
import { decodingKv } from "../src/engine/decoding_kv.ts";
import { WEIGHT_DTYPES } from "../src/formats/registry.ts";
import { Recorder } from "../src/gpu/recorder.ts";
import { openGpu } from "../src/host/gpu.ts";
import { KvPool } from "../src/kv/pool.ts";
import { plainStrategy } from "../src/kv/registry.ts";
import { batchOf } from "../src/model/batch.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { StepTables } from "../src/model/step_tables.ts";
import { HARDWARE_TUNING, type Tuning, tuningFor } from "../src/model/tuning.ts";
import { drawTable } from "../src/report/text_table.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "300" },
    rows: { type: "string", default: "1" },
    hardware: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds), nRows = Number(options.rows), CONTEXT = 128;
const gpu = await openGpu(), config = PRESETS.gpt2;
const tuning = options.hardware ? HARDWARE_TUNING : tuningFor(gpu.facts);

/** A fusion: the variant without it, with it, and the stages that differ. */
interface Fusion {
  readonly name: string;
  readonly apart: Partial<Tuning>;
  readonly fused: Partial<Tuning>;
  readonly stages: RegExp;
}
const FUSIONS: readonly Fusion[] = [
  { name: "nothing", apart: {}, fused: {}, stages: /^(ln_|attn$|attn.c_attn|mlp.c_fc)/ },
  {
    name: "K and V stored by QKV's product",
    apart: { storedRows: 0 },
    fused: { storedRows: tuning.storedRows || tuning.maxSingleRows },
    stages: /^attn(.c_attn)?$/,
  },
  {
    name: "layer norm made in QKV and FC",
    apart: { normedRows: 0 },
    fused: { normedRows: tuning.normedRows || tuning.maxSingleRows },
    stages: /^(ln_[12]|attn.c_attn|mlp.c_fc)$/,
  },
];

const batch = batchOf(
  Array.from({ length: nRows }, (_, sequence) => ({ sequence, first: CONTEXT, count: 1, outputs: 1 })),
);
const limits = { maxRows: nRows, maxSpans: nRows, maxOutputs: nRows };
/** Returns the time that a tenth of the samples stay below. */
const tenth = (samples: number[]) => samples.sort((a, b) => a - b)[Math.floor(samples.length / 10)]!;

const rows = new Map(FUSIONS.map(({ name }) => [name, [name]]));
for (const weightsDtype of WEIGHT_DTYPES) {
  const model = await Gpt2.load(gpu, new SyntheticCheckpoint("gpt2", config, 0), { tuning, weightsDtype });
  const { policy, addressing } = decodingKv(config, {
    ...{ strategy: plainStrategy().name, nSequences: nRows, maxTokens: CONTEXT + 1 },
  });
  const shape = { nHead: config.nHead, a4: model.dims.a4, nSequences: nRows, texels: tuning.texels };
  const pool = KvPool.allocate(gpu, {
    ...{ shape: { ...shape, dtype: "f32" }, addressing, nSlots: policy.nSlots, movesSlots: false },
  });
  const tables = new StepTables(gpu, model.stepLayout, limits, 1), offsets = tables.set(0, batch);
  tables.upload(1);
  const recorder = new Recorder(gpu.device);
  recorder.share(tables.group, offsets);
  /** Makes what records the stages in a variant. */
  const make = async (variant: Partial<Tuning>, stages: RegExp) => {
    const own = model.withTuning({ ...tuning, ...variant }), workspace = own.workspace(limits, pool.source);
    const bindGroups = (layer: number) => pool.bindGroups(layer);
    const kv = { kernels: await own.stepKernels(pool.source), entries: (n: number) => n, bindGroups };
    const chosen = own.stages(workspace).filter(({ module }) => stages.test(module));
    const record = () => chosen.forEach((stage) => stage.record(recorder, batch, kv));
    return { record, dispose: () => workspace.dispose(), ms: [] as number[] };
  };
  const timed = async ({ record, ms }: { record(): void; readonly ms: number[] }) => {
    await gpu.fence.wait();
    const start = performance.now();
    record();
    recorder.submit();
    await gpu.fence.wait();
    ms.push(performance.now() - start);
  };
  const empty = { record: () => {}, ms: [] as number[] };
  for (const { name, apart, fused, stages } of FUSIONS) {
    const chosen = (variant: Partial<Tuning>) => model.withTuning({ ...tuning, ...variant }).tuning;
    if (isDeepEqual(chosen(apart), chosen(fused)) && name !== "nothing") {
      rows.get(name)!.push("not with these kernels");
      continue;
    }
    const [without, within] = [await make(apart, stages), await make(fused, stages)] as const;
    for (let round = 0; round < rounds; round++) {
      for (const each of round % 2 === 0 ? [without, within, empty] : [within, without, empty]) {
        await timed(each);
      }
    }
    const [before, after] = [without, within].map(({ ms }) => tenth(ms) - tenth(empty.ms)) as [
      number,
      number,
    ];
    rows.get(name)!.push(`${before.toFixed(2)} → ${after.toFixed(2)} ms, ${(after / before).toFixed(3)}`);
    without.dispose();
    within.dispose();
  }
  gpu.assertHealthy();
  for (const each of [tables, pool, model]) each.dispose();
}
console.log(`${gpu.facts.description}, ${nRows} rows, ${rounds} rounds`);
console.log(drawTable([...rows.values()], { head: ["fused", ...WEIGHT_DTYPES] }));
gpu.dispose();
