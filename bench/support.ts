/**
 * Shared parts of the kernel suites: a GPU, and kernels with scratch buffers, run many times per measurement.
 *
 * @module
 */
import { PRESETS } from "../src/checkpoint/config.ts";
import type { Dtype } from "../src/gpu/dtype.ts";
import { Recorder } from "../src/gpu/recorder.ts";
import { openGpu } from "../src/host/gpu.ts";
import { KvPool } from "../src/kv/pool.ts";
import { chooseKv } from "../src/kv/registry.ts";
import { makeKv } from "../src/kv/strategy_def.ts";
import { type Batch, batchOf } from "../src/model/batch.ts";
import { createKvKernels, splitsOf } from "../src/model/kernels.ts";
import { createLayouts } from "../src/model/layouts.ts";
import { linearProduct } from "../src/model/linear.ts";
import { StepTables } from "../src/model/step_tables.ts";
import { tuningFor } from "../src/model/tuning.ts";
import { seededRandom, shuffled } from "../src/base/random.ts";
import { dimsOf } from "../src/model/dims.ts";
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
const layouts = createLayouts(gpu.device, tuning);
/** True where this adapter's tuning stores activations and weights in textures. */
export const TEXELS: boolean = tuning.texels;
/** Multiply-adds per measurement. */
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
  const own = { ...tuning, texels }, ownLayouts = createLayouts(gpu.device, own);
  const context = { device: gpu.device, layouts: ownLayouts, config, tuning: own, weightsDtype: dtype };
  const product = await linearProduct(context, { k4, n4 }, {});
  const weight = operand(packedBytes(k4, n4, { tileGroup: tuning.tileGroup, dtype }), own);
  const none = buffer(n4 * 16);
  const group = ownLayouts.linear.bind({
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
    (recorder) => product.record(recorder, group, nRows),
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
  const kernels = await createKvKernels(
    { device: gpu.device, layouts, config, tuning, weightsDtype: "f32" },
    pool.source,
  );
  const splits = splitsOf(config.nCtx, tuning) * config.nHead;
  const group = layouts[tuning.splitTokens === 0 ? "attentionWhole" : "attentionSplit"].bind({
    x: operand(3 * dims.a4 * 16),
    y: operand(dims.a4 * 16),
    partial: buffer(splits * (dims.headDim4 + 1) * 16),
  });
  return repeated(
    config.nLayer,
    batchOf([{ sequence: 0, first: context - 1, count: 1, outputs: 0 }]),
    (recorder) =>
      recorder.dispatch(
        kernels.decode,
        [group, pool.bindGroups(0).read],
        splitsOf(context, tuning),
        config.nHead,
      ),
  );
}

function repeated(times: number, batch: Batch, record: (recorder: Recorder) => void): BatchedKernel {
  const tables = new StepTables(gpu, layouts.step, { maxRows: batch.nRows, maxSpans: 1, maxOutputs: 1 }, 1);
  const offsets = tables.set(0, batch);
  tables.upload(1);
  return {
    times,
    run: async () => {
      const recorder = new Recorder(gpu.device);
      recorder.share(tables.group, offsets);
      for (let i = 0; i < times; i++) record(recorder);
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
