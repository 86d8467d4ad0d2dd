/**
 * The attention kernels against their reference: one batch mixes prefill tiles and
 * decode tiles of several sequences, over every kind of K/V memory.
 */
import { kvKinds } from "../src/check/kv_memory.ts";
import { runTrial } from "../src/check/run_trial.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { hasSubgroups } from "../src/gpu/subgroups.ts";
import { strategies } from "../src/kv/registry.ts";
import { SPLITS } from "../src/model/autotune/variants.ts";
import { BROADCAST_TUNING, HARDWARE_TUNING, SOFTWARE_TUNING, SUBGROUP_TUNING } from "../src/model/tuning.ts";
import {
  type AttentionCase,
  attentionTrial,
  combineTrial,
  DECODE_SPANS,
  prefill,
  PREFILL_SPANS,
} from "../wgsl/ops/attention/trials.ts";
import { joinedTrial, joiningKernelsOf } from "../wgsl/ops/linear/joined_trials.ts";
import { assertRight, deviceRuns, gpuTest } from "./gpu_support.ts";

/** Scores of up to 1000 are 1e-4 off in float32, which exp() makes a relative error of each weight. */
const LARGE_SCORES_TOLERANCE = 5e-4;

/** Prefill and decode in turn. */
const SPANS = [...DECODE_SPANS, ...PREFILL_SPANS].sort((a, b) => b.sequence % 5 - a.sequence % 5);

/** Memories with heads of whole vectors too. */
const WHOLE_VECTORS: readonly string[] = ["contiguous", "paged by 16"];

/** Memories that hardware's kernels see here: those that keep a part have tests of their own, with both tunings. */
const EXACT = strategies().filter(({ traits }) => traits.exact).flatMap(({ cases }) => cases).map((
  { name },
) => name);

type Case = Omit<AttentionCase, "spans" | "dtype"> & Partial<AttentionCase>;

async function check(gpu: Gpu, item: Case): Promise<void> {
  assertRight(await runTrial(gpu, attentionTrial({ spans: SPANS, dtype: "f32", ...item })));
}

gpuTest("attention_combine.wgsl joins splits as its reference does", async (gpu) => {
  for (const [nHead, headDim] of [[1, 4], [3, 18], [2, 64]] as const) {
    for (const texels of [true, false]) {
      const tuning = { ...HARDWARE_TUNING, texels };
      assertRight(await runTrial(gpu, combineTrial({ nHead, headDim, tuning })));
    }
  }
});

gpuTest("Products of one row join splits as the reference does, whatever stands behind them", async (gpu) => {
  const tunings = [HARDWARE_TUNING, ...hasSubgroups(gpu.device) ? [SUBGROUP_TUNING] : []];
  for (const base of tunings) {
    for (const splitTokens of [64, 16]) {
      for (const kernel of joiningKernelsOf({ ...base, splitTokens })) {
        for (const [nHead, headDim] of [[1, 4], [3, 18], [2, 64]] as const) {
          assertRight(await runTrial(gpu, joinedTrial({ ...kernel, nHead, headDim })));
        }
      }
    }
  }
});

for (const texels of [true, false]) {
  for (const splitTokens of SPLITS) {
    const what = `${texels ? "textures" : "buffers"}, splits of ${splitTokens || "all"}`;
    gpuTest(`Decode attention equals the reference, however the context is split (${what})`, async (gpu) => {
      const tuning = { ...SOFTWARE_TUNING, texels, splitTokens };
      await check(gpu, { nHead: 2, headDim: 16, tuning, kind: "paged by 16", spans: DECODE_SPANS });
    });
  }
}

for (const [i, dtype] of ["f32", "f16", "int8", "int4-plain", "int8/f32"].entries()) {
  gpuTest(`Decode attention by shuffles equals the reference (${dtype})`, async (gpu) => {
    const own = { tuning: BROADCAST_TUNING, dtype, spans: DECODE_SPANS };
    await check(gpu, { ...own, nHead: 2, headDim: 64, kind: "paged by 16" });
    if (i % 2 === 1) return; // sizes and memories differ in what all types have in common
    await check(gpu, {
      ...own,
      nHead: 3,
      headDim: i === 0 ? 18 : 24,
      kind: i === 0 ? "window" : "paged by 3",
    });
    const split = { ...BROADCAST_TUNING, splitTokens: 64, texels: i === 0 };
    await check(gpu, { ...own, nHead: 1, headDim: i === 0 ? 4 : 40, tuning: split, kind: "contiguous" });
  }, { ignored: !await deviceRuns(BROADCAST_TUNING) });
}

for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
  for (const kind of tuning === SOFTWARE_TUNING ? kvKinds() : EXACT) {
    gpuTest(`Attention equals the reference (${kind}, ${tuning.name} tuning)`, async (gpu) => {
      await check(gpu, { nHead: 3, headDim: 18, tuning, kind });
      // Heads of whole vectors differ in how a head is read, not in how its slots are found.
      if (WHOLE_VECTORS.includes(kind)) await check(gpu, { nHead: 2, headDim: 16, tuning, kind });
    });
  }
  for (const [i, dtype] of ["int4-plain", "int8/f32", "f16/int4-plain", "int4-plain/int8"].entries()) {
    gpuTest(`Attention reads K and V in ${dtype} (${tuning.name} tuning)`, async (gpu) => {
      // Two types are read as each is alone: one size for each pair.
      if (i % 3 === 0) await check(gpu, { nHead: 3, headDim: 24, tuning, kind: "paged by 3", dtype });
      if (i < 3) await check(gpu, { nHead: 1, headDim: 64, tuning, kind: "contiguous", dtype });
    });
  }
  for (const dtype of ["f16", "int8"] as const) {
    gpuTest(`Attention reads K and V in ${dtype} (${tuning.name} tuning)`, async (gpu) => {
      await check(gpu, { nHead: 3, headDim: 18, tuning, kind: "paged by 3", dtype });
      await check(gpu, { nHead: 1, headDim: 64, tuning, kind: "paged by 16", dtype });
    });
  }
  for (const headDim of [4, 64, 128]) {
    gpuTest(`Attention equals the reference (head width ${headDim}, ${tuning.name} tuning)`, async (gpu) => {
      await check(gpu, { nHead: 2, headDim, tuning, kind: "paged by 3" });
    });
  }
  gpuTest(
    `Attention survives scores that grow until exp() alone would overflow (${tuning.name} tuning)`,
    async (gpu) => {
      const tolerance = LARGE_SCORES_TOLERANCE;
      await check(gpu, { nHead: 3, headDim: 18, tuning, kind: "paged by 3", growingKeys: true, tolerance });
    },
  );
  gpuTest(`Attention of a tile writes its own rows and no other (${tuning.name} tuning)`, async (gpu) => {
    for (const count of [2, 3, 4, 5, 6, 7, 8, 17]) {
      await check(gpu, { nHead: 2, headDim: 16, tuning, kind: "paged by 16", spans: [prefill(1, 3, count)] });
    }
  });
}
