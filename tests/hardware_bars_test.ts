/**
 * Bars for hardware's kernels that need no GPU and no compiler: enough workgroups, few reads one after another, lines of
 * the cache that are used whole, few dispatches.
 */
import assert from "node:assert/strict";
import { parseConfig } from "../src/checkpoint/config.ts";
import { SyntheticCheckpoint } from "../src/checkpoint/synthetic.ts";
import { openDecoder } from "../src/engine/with_decoder.ts";
import { KV_DTYPES, WEIGHT_DTYPES } from "../src/formats/registry.ts";
import { openGpu } from "../src/host/gpu.ts";
import { sharingStrategy } from "../src/kv/registry.ts";
import { DECODE_VARIANTS, linearVariants } from "../src/model/autotune/variants.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { tileVectors } from "../src/model/pack.ts";
import { HARDWARE_TUNING, SUBGROUP_TUNING, type Tuning } from "../src/model/tuning.ts";
import { linesOverLeast, waitsOf } from "../src/gpu/walk.ts";
import { kvKernels, planningContext, staticFigures, stepKernels } from "../tools/hardware/statics.ts";
import { fakeWebGpu, Trace } from "./trace/fake_gpu.ts";

/** Least workgroups by output width, most reads of a lane one after another, and most dispatches where the head is one part. */
const BARS = {
  narrow: 1536,
  workgroups: { narrow: 48, wide: 96 },
  trips: { "out": 24, other: 12 },
  lines: 1.25,
  flopPerByte: 12,
  atOnce: 12,
  argmaxWorkgroups: 32,
  dispatches: 64,
} as const;
/** Output width of each product. */
const WIDTHS: Readonly<Record<string, number>> = { qkv: 2304, proj: 768, fc: 3072, out: 768, head: 50257 };

const features = new Set<GPUFeatureName>(["subgroups"]);
const TUNINGS: readonly Tuning[] = [
  HARDWARE_TUNING,
  SUBGROUP_TUNING,
  ...linearVariants({ features }).filter(({ texels }) => !texels).filter(({ wideRows }) => !wideRows).map((
    variant,
  ) => ({ ...HARDWARE_TUNING, ...variant })),
];

for (const tuning of TUNINGS) {
  const { name, linearLanes, kSplit, subgroups } = tuning;
  const variant = subgroups ? "subgroups" : `${linearLanes} × ${kSplit} lanes`;
  for (const dtype of WEIGHT_DTYPES) {
    Deno.test(`Products of one row keep a GPU busy and its lines whole (${name}, ${variant}, ${dtype})`, () => {
      const wrong: string[] = [];
      for (const kernel of stepKernels(planningContext(tuning, dtype))) {
        const width = WIDTHS[kernel.name];
        if (kernel.step !== "decode" || width === undefined) continue;
        const { workgroups, lanes, trips, lines } = staticFigures(kernel)!;
        const expect = (holds: boolean, what: string) => {
          if (!holds) wrong.push(`${kernel.name}: ${what}`);
        };
        const { narrow, wide } = BARS.workgroups;
        expect(workgroups >= (width < BARS.narrow ? narrow : wide), `${workgroups} workgroups`);
        expect(trips <= (kernel.name === "out" ? BARS.trips.out : BARS.trips.other), `${trips} trips`);
        expect(lines <= BARS.lines, `${lines} times the lines`);
        const loads = kernel.plan.walk!.atOnce! * tileVectors(dtype);
        expect(loads >= BARS.atOnce, `${loads} loads under way`);
        expect(subgroups || lanes % 64 === 0, `${lanes} lanes fill no wave of 64`);
      }
      assert.deepEqual(wrong, []);
    });
  }
}

for (const dtype of WEIGHT_DTYPES) {
  Deno.test(`Products of many rows compute much for a byte and use its line whole (${dtype})`, () => {
    const kernels = stepKernels(planningContext(HARDWARE_TUNING, dtype));
    for (
      const kernel of kernels.filter(({ step, name }) => step !== "decode" && WIDTHS[name] !== undefined)
    ) {
      const { lines, lanes, flopPerByte, workgroups } = staticFigures(kernel)!;
      const what = `${kernel.name}, ${kernel.step}`;
      assert.ok(lines <= BARS.lines, `${what}: ${lines} times the lines`);
      assert.equal(lanes % 64, 0, what);
      assert.ok(workgroups >= BARS.workgroups.narrow, `${what}: ${workgroups} workgroups`);
      if (kernel.step === "prefill") assert.ok(flopPerByte! >= BARS.flopPerByte, `${what}: ${flopPerByte}`);
    }
  });
}

for (const dtype of KV_DTYPES) {
  Deno.test(`All lanes of attention read, lines whole, and have twelve reads under way (${dtype})`, () => {
    const variants = DECODE_VARIANTS.filter(({ decodeAlong }) => decodeAlong);
    for (const variant of [HARDWARE_TUNING, ...variants]) {
      const tuning = { ...HARDWARE_TUNING, ...variant };
      const kernels = kvKernels(planningContext(tuning, WEIGHT_DTYPES[0]!), dtype);
      const [decode, prefill] = ["attention decode", "attention prefill"].map((name) =>
        kernels.find((kernel) => kernel.name === name)!
      ) as [typeof kernels[number], typeof kernels[number]];
      for (const kernel of [decode, prefill]) {
        const { lanes, busy, lines, workgroups } = staticFigures(kernel)!;
        const what = `${kernel.name}, ${tuning.decodeLanes} lanes`;
        assert.equal(busy, lanes, what);
        assert.equal(lanes % 64, 0, what);
        assert.ok(lines <= BARS.lines, `${what}: ${lines} times the lines`);
        assert.ok(workgroups >= BARS.workgroups.wide, `${what}: ${workgroups} workgroups`);
      }
      assert.ok(decode.plan.walk!.atOnce! >= BARS.atOnce);
      assert.ok(staticFigures(prefill)!.flopPerByte! >= BARS.flopPerByte);
    }
  });
}

Deno.test("Argmax takes 32 workgroups and more, and a norm one read of a lane", () => {
  const kernels = stepKernels(planningContext(HARDWARE_TUNING, "f32"));
  const figures = (name: string) => staticFigures(kernels.find((kernel) => kernel.name === name)!)!;
  assert.ok(figures("argmax").workgroups >= BARS.argmaxWorkgroups);
  assert.ok(figures("argmax").trips <= BARS.trips.other);
  assert.equal(figures("norm").trips, 1);
  for (const name of ["argmax", "norm", "sample"]) assert.ok(figures(name).lines <= BARS.lines, name);
  const sampler = kernels.find(({ name }) => name === "sample")!.plan.walk!;
  assert.ok(waitsOf(sampler) <= BARS.trips.other, `${waitsOf(sampler)} waits of a scan`);
});

Deno.test("A decode step of twelve layers takes 64 dispatches at most", async () => {
  const config = parseConfig({
    ...{
      vocab_size: 64,
      n_positions: 32,
      n_embd: 16,
      n_head: 2,
      n_layer: 12,
      bos_token_id: 0,
      eos_token_id: 0,
    },
  }, "the counted model");
  const trace = new Trace(), own = Object.getOwnPropertyDescriptor(navigator, "gpu");
  Object.defineProperty(navigator, "gpu", { configurable: true, value: fakeWebGpu(trace, []) });
  try {
    const gpu = await openGpu({ webgpu: "deno" });
    const model = await Gpt2.load(gpu, new SyntheticCheckpoint("counted", config, 1), {
      tuning: HARDWARE_TUNING,
    });
    const decoder = await openDecoder(model, {
      ...{ strategy: sharingStrategy().name, nSequences: 1, maxPromptTokens: 4, maxTokens: 8 },
    });
    decoder.begin([[1, 2, 3]]);
    decoder.advance(1);
    trace.take();
    decoder.advance(1);
    const dispatches = trace.take().filter(({ kernel }) => kernel !== undefined).length;
    assert.ok(dispatches <= BARS.dispatches, `${dispatches} dispatches`);
    decoder.dispose();
    model.dispose();
    gpu.dispose();
  } finally {
    if (own) Object.defineProperty(navigator, "gpu", own);
    else Reflect.deleteProperty(navigator, "gpu");
  }
});

Deno.test("linesOverLeast() counts lines that are touched in part", () => {
  const dense = { lanes: 32, bytes: 16, at: (lane: number) => 16 * lane };
  assert.equal(linesOverLeast(dense, 32), 1);
  assert.equal(linesOverLeast({ ...dense, at: (lane) => 64 * lane }, 32), 4);
  assert.equal(linesOverLeast({ ...dense, lanes: 8 }, 64), 1);
  assert.equal(linesOverLeast({ ...dense, busy: 8, at: (lane) => 512 * lane }, 64), 8);
});
