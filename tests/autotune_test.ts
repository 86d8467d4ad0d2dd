/** The autotuner: its choice runs the model right, whatever it is, and it leaves nothing behind. */
import assert from "node:assert/strict";
import type { Gpu } from "../src/gpu/gpu.ts";
import { autotune } from "../src/model/autotune/autotune.ts";
import { fastestNorms } from "../src/model/autotune/norms.ts";
import { TuningScratch } from "../src/model/autotune/scratch.ts";
import {
  DECODE_VARIANTS,
  linearTunings,
  linearVariants,
  PREFILL_VARIANTS,
  SPLITS,
} from "../src/model/autotune/variants.ts";
import { subgroupLanes } from "../src/gpu/subgroups.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING, type Tuning, tuningFor } from "../src/model/tuning.ts";
import { STATIC, withDecoder } from "./decode_support.ts";
import { AWKWARD, randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpt2Cpu } from "./fixtures/gpt2_cpu.ts";
import { assertClose, gpuTest } from "./gpu_support.ts";
import { BindLayout } from "../src/gpu/bind_layout.ts";
import { createKernel } from "../src/gpu/kernel.ts";
import { type Candidate, timeCandidates, TuningBudget } from "../src/gpu/autotune.ts";

const LANES = 1 << 13;
const WORK = `
@group(0) @binding(0) var<storage, read_write> values: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  for (var i = 0u; i < 256u; i++) {
    values[id.x] = values[id.x] * 0.5 + 1.0;
  }
}
`;

/** Tokens of the prompt; those after it are decoded one by one. */
const PROMPT_TOKENS = 17;
const IDS = Array.from({ length: PROMPT_TOKENS + 6 }, (_, i) => i * 7 % AWKWARD.vocab_size);

/** Compares logits at every position with the CPU's, after a prefill and after single rows. */
async function check(gpu: Gpu, tunings: readonly Tuning[]): Promise<void> {
  const { checkpoint, config, tensors } = await randomCheckpoint(AWKWARD);
  const expected = gpt2Cpu(config, tensors, IDS);
  for (const tuning of tunings) {
    const model = await Gpt2.load(gpu, checkpoint, { tuning });
    await withDecoder(model, { variant: STATIC, maxOutputs: PROMPT_TOKENS }, async (decoder) => {
      decoder.begin([IDS.slice(0, PROMPT_TOKENS)]);
      const logits = await decoder.logits(PROMPT_TOKENS);
      for (const id of IDS.slice(PROMPT_TOKENS)) {
        decoder.append([[id]]);
        logits.push(...await decoder.logits());
      }
      assertClose(logits.flatMap((row) => [...row]), expected, {
        tolerance: 5e-5,
        name: JSON.stringify(tuning),
      });
    });
    model.dispose();
  }
  checkpoint.close();
}

gpuTest(
  "autotune() chooses variants that compute what the CPU computes, and frees all it took",
  async (gpu) => {
    const { checkpoint, config } = await randomCheckpoint(AWKWARD);
    checkpoint.close();
    const tuning = await autotune(gpu, { config, weightsDtype: "f32", kvDtype: "f32" });
    assert.equal(gpu.ledger.current.total, 0);
    assert.equal(tuning.name, "measured");
    await check(gpu, [tuning]);
  },
);

gpuTest("Every variant that autotune() chooses from computes what the CPU computes", async (gpu) => {
  await check(gpu, [
    ...linearVariants(gpu.device).map((variant) => ({ ...SOFTWARE_TUNING, ...variant })),
    ...SPLITS.map((splitTokens) => ({ ...SOFTWARE_TUNING, splitTokens })),
    ...DECODE_VARIANTS.map((variant, i) => ({ ...HARDWARE_TUNING, ...variant, ...PREFILL_VARIANTS[i] })),
  ]);
});

gpuTest(
  "fastestNorms() times both ways where products can make a norm, and frees all it took",
  async (gpu) => {
    const { checkpoint, config } = await randomCheckpoint(AWKWARD);
    checkpoint.close();
    const scratch = new TuningScratch(gpu, { config, weightsDtype: "f32", kvDtype: "f32" });
    const budget = () => new TuningBudget(60_000);
    assert.ok([0, 2].includes((await fastestNorms(scratch, HARDWARE_TUNING, budget())).normedRows));
    assert.equal((await fastestNorms(scratch, SOFTWARE_TUNING, budget())).normedRows, 0);
    scratch.dispose();
  },
);

gpuTest("autotune() compiles and times nothing once its time is up", async (gpu) => {
  const { checkpoint, config } = await randomCheckpoint(AWKWARD);
  checkpoint.close();
  const tried: string[] = [];
  const tuning = await autotune(gpu, { config, weightsDtype: "f32", kvDtype: "f32" }, {
    budget: new TuningBudget(0),
    onTry: ({ what }) => tried.push(what),
  });
  assert.deepEqual(tried, []);
  assert.deepEqual(tuning, { ...tuningFor(gpu.facts), name: "measured" });
});

Deno.test("linearTunings() begins with what differs least from the defaults of the adapter's kind", () => {
  const device = { features: new Set(["subgroups"]) } as unknown as GPUDevice;
  const [software, next] = linearTunings(SOFTWARE_TUNING, device);
  assert.equal(software, SOFTWARE_TUNING);
  assert.ok(next!.texels && next!.wideRows);
  const [hardware, second, third] = linearTunings(HARDWARE_TUNING, device);
  assert.equal(hardware, HARDWARE_TUNING);
  for (const each of [second!, third!]) assert.ok(!each.texels && !each.wideRows);
  assert.ok(linearTunings(HARDWARE_TUNING, device).at(-1)!.texels);
});

Deno.test("linearVariants() offers subgroups where the device has them, and nowhere else", () => {
  const offered = (...features: GPUFeatureName[]) =>
    linearVariants({ features: new Set(features) }).filter(({ subgroups }) => subgroups).length;
  assert.equal(offered("shader-f16"), 0);
  assert.ok(offered("shader-f16", "subgroups") > 0);
  const device = {
    features: new Set<GPUFeatureName>(["subgroups"]),
    adapterInfo: { subgroupMinSize: 4, subgroupMaxSize: 8 } as GPUAdapterInfo,
  };
  assert.ok(linearVariants(device).every(({ subgroups }) => !subgroups), "four to eight lanes");
  assert.deepEqual(subgroupLanes(device), [4, 8]);
});

gpuTest("timeCandidates() times every candidate at least once, however short the budget", async (gpu) => {
  const counts = [0, 0];
  const candidates = counts.map((_, i) => () => void counts[i]!++);
  const times = await timeCandidates(gpu, candidates, new TuningBudget(0));
  assert.deepEqual(counts, [2, 2]); // the warm-up and one round
  assert.equal(times.length, 2);
});

gpuTest(
  "timeCandidates() times again what may be the fastest, and not what takes far longer",
  async (gpu) => {
    const layout = new BindLayout(gpu.device, "work", { values: "readWrite" });
    const kernel = await createKernel(gpu.device, {
      files: [{ name: "work.wgsl", code: WORK }],
      groups: [layout],
    });
    const values = gpu.ledger.createBuffer({ label: "work", category: "staging", bytes: 4 * LANES });
    const group = layout.bind({ values });
    const counts = [0, 0];
    const candidates = [1, 30].map((times, i): Candidate => (recorder) => {
      counts[i]!++;
      recorder.share(group);
      for (let n = 0; n < times; n++) recorder.dispatch(kernel, [], LANES / 64);
    });
    const [short, long] = await timeCandidates(gpu, candidates, new TuningBudget(60_000)) as [number, number];
    values.destroy();
    assert.ok(short < long, `${short}, ${long}`);
    assert.deepEqual(counts, [6, 3]);
  },
);
