/**
 * Shared parts of the kernel suites: a GPU, and kernels with scratch buffers, run many times per measurement.
 */
import { PRESETS } from "../src/checkpoint/config.ts";
import type { Dtype } from "../src/formats/registry.ts";
import { Recorder } from "../src/gpu/recorder.ts";
import { openGpu } from "../src/host/gpu.ts";
import { KvPool } from "../src/kv/pool.ts";
import { chooseKv } from "../src/kv/registry.ts";
import { makeKv } from "../src/kv/strategy_def.ts";
import { type Batch, batchOf } from "../src/model/batch.ts";
import { StepTables } from "../src/model/step_tables.ts";
import { splitsOf, tuningFor } from "../src/model/tuning.ts";
import { seededRandom, shuffled } from "../src/base/random.ts";
import { dimsOf } from "../src/model/dims.ts";
import { compileOperator } from "../src/model/operator.ts";
import { compilePlans, Layouts } from "../src/model/plan.ts";
import { decodePlan, decodeUses } from "../wgsl/ops/attention/plans.ts";
import { linearUses } from "../wgsl/ops/linear/forms.ts";
import { LINEAR } from "../wgsl/ops/linear/operator.ts";
import { packedBytes } from "../src/model/pack.ts";

/** Few, fixed repetitions: without them, a body over half a second gets 21 warm-ups. */
export const BENCH_OPTIONS = { n: 8, warmup: 2 } as const;

/** A kernel that is dispatched several times per measurement. */
export interface BatchedKernel {
  readonly times: number;
  readonly run: () => Promise<void>;
}

const gpu = await openGpu();
const config = PRESETS.gpt2, dims = dimsOf(config), tuning = tuningFor(gpu.facts);
const layouts = new Layouts(gpu.device, tuning);
/** True where this adapter's tuning stores activations and weights in textures. */
export const TEXELS: boolean = tuning.texels;
const MACS = 16e6;

/** A product [nRows, 4 k4] × [4 k4, 4 n4], whose operands are textures or not. */
export async function linearBench(
  { k4, n4, nRows, dtype, texels = tuning.texels }: {
    k4: number;
    n4: number;
    nRows: 1 | 8 | 16;
    dtype: Dtype;
    texels?: boolean;
  },
): Promise<BatchedKernel> {
  const own = { ...tuning, texels }, ownLayouts = new Layouts(gpu.device, own);
  const context = { device: gpu.device, layouts: ownLayouts, config, tuning: own, weightsDtype: dtype };
  const product = await compileOperator(context, LINEAR, { k4, n4 });
  const weight = operand(packedBytes(k4, n4, { tileGroup: tuning.tileGroup, dtype }), own);
  const none = buffer(n4 * 16);
  const group = ownLayouts.of(linearUses({})).bind({
    x: operand(16 * k4 * 16, own),
    weight,
    bias: none,
    y: buffer(16 * n4 * 16),
    scale: none,
  });
  const times = Math.max(1, Math.round(MACS / (k4 * n4 * 16 * nRows)));
  return repeated(
    times,
    batchOf([{ sequence: 0, first: 0, count: nRows, outputs: 0 }]),
    (recorder, batch) => product.record(recorder, [group], batch),
  );
}

/** Decode attention of one row over `context` tokens, as many times as the model has layers. */
export async function attentionBench(
  { strategy, context, dtype, texels = tuning.texels }: {
    strategy: "kv-cache" | "paged";
    context: number;
    dtype: Dtype;
    texels?: boolean;
  },
): Promise<BatchedKernel> {
  const kv = makeKv(chooseKv(strategy), {
    ...{ nSequences: 1, nLayer: 1, nCtx: config.nCtx, maxTokens: context, maxRows: context },
    ...{ budgetTokens: undefined, swapTokens: 0, watermark: 0 },
  });
  const pool = KvPool.allocate(gpu, {
    shape: { nHead: config.nHead, a4: dims.a4, dtype, nSequences: 1, texels },
    addressing: kv.addressing,
    nSlots: kv.policy.nSlots,
    movesSlots: false,
  });
  // Blocks out of order, as they are after a while.
  const order = shuffled([...Array(Math.ceil(context / 16)).keys()], seededRandom(1));
  pool.place(0, order, () => {});
  const plan = decodePlan({ device: gpu.device, layouts, config, tuning, weightsDtype: "f32" }, pool.source);
  const kernel = await compilePlans(gpu.device, [plan]);
  const splits = splitsOf(config.nCtx, tuning) * config.nHead;
  const group = layouts.of(decodeUses(tuning)).bind({
    x: operand(3 * dims.a4 * 16),
    y: operand(dims.a4 * 16),
    partial: buffer(splits * (dims.headDim4 + 1) * 16),
  });
  return repeated(
    config.nLayer,
    batchOf([{ sequence: 0, first: context - 1, count: 1, outputs: 0 }]),
    (recorder, batch) => kernel.record(recorder, [group, pool.bindGroups(0).read], batch),
  );
}

function repeated(
  times: number,
  batch: Batch,
  record: (recorder: Recorder, batch: Batch) => void,
): BatchedKernel {
  const tables = new StepTables(gpu, layouts.step, { maxRows: batch.nRows, maxSpans: 1, maxOutputs: 1 }, 1);
  const offsets = tables.set(0, batch);
  tables.upload(1);
  return {
    times,
    run: async () => {
      const recorder = new Recorder(gpu.device);
      recorder.share(tables.group, offsets);
      for (let i = 0; i < times; i++) record(recorder, batch);
      recorder.submit();
      await gpu.fence.wait();
      gpu.assertHealthy();
    },
  };
}

/** Allocates an input of a product or of attention. */
function operand(bytes: number, { texels } = tuning) {
  return gpu.ledger.createVectors({ label: "bench", category: "staging", bytes }, { texels });
}

function buffer(bytes: number) {
  return gpu.ledger.createBuffer({ label: "bench", category: "staging", bytes });
}
