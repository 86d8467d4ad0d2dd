/**
 * What a command says that it will need is what the ledger then counts: never less, and at most a tenth more.
 */
import assert from "node:assert/strict";
import { checkGolden, goldenNeed } from "../src/check/golden.ts";
import { beamSearch } from "../src/engine/beam_search.ts";
import { sampleParallel } from "../src/engine/sample_parallel.ts";
import { withDecoder } from "../src/engine/with_decoder.ts";
import {
  decodingNeed,
  groupNeed,
  type NeedContext,
  totalOf,
  type WorkNeed,
} from "../src/engine/work_need.ts";
import { everyKvDtype } from "../src/formats/kv_dtype.ts";
import { HALF_DTYPE } from "../src/formats/registry.ts";
import { openGpu } from "../src/host/gpu.ts";
import { locateModel } from "../src/hub/locate.ts";
import { GROWTHS } from "../src/kv/contiguous/policy.ts";
import { strategyNames } from "../src/kv/registry.ts";
import { ladderNeed } from "../src/measure/ladder/ladder_need.ts";
import { runLadder } from "../src/measure/ladder/run_ladder.ts";
import { accuracyNeed, referenceOf } from "../src/measure/quality/accuracy.ts";
import { benchNeed } from "../src/measure/run/bench_need.ts";
import { decodingOf } from "../src/measure/run/group.ts";
import { groupsOf, madeUpPrompt } from "../src/measure/run/grid.ts";
import { perplexity, perplexityNeed } from "../src/measure/quality/perplexity.ts";
import type { Plan } from "../src/measure/run/plan.ts";
import { profile, profileNeed } from "../src/measure/profile/profile.ts";
import type { BenchResult } from "../src/measure/record/result.ts";
import { runBench } from "../src/measure/run/run.ts";
import { gpuRun } from "../src/simulate/run_plan.ts";
import { shapeOf } from "../src/simulate/model_shape.ts";
import type { ServingPlan } from "../src/simulate/plan.ts";
import { servingNeed } from "../src/simulate/serving_need.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { memoryNeed } from "../src/model/memory.ts";
import { GREEDY } from "../src/model/sampling.ts";
import { fixtureResult } from "./fixtures/result.ts";
import { ignore, kvbench } from "./cli_support.ts";
import { permitted } from "./permitted.ts";

const reading = { ignore: !permitted("read") };

/** Runs `body` with the embedded model and what a need depends on. */
async function withTiny(body: (model: Gpt2, context: NeedContext) => Promise<void>): Promise<void> {
  const gpu = await openGpu();
  const checkpoint = await locateModel("tiny");
  const model = await Gpt2.load(gpu, checkpoint);
  checkpoint.close();
  try {
    await body(model, { config: model.config, tuning: model.tuning, limits: gpu.device.limits });
  } finally {
    model.dispose();
    gpu.abandon();
  }
}

/** Compares the peak of `work`, weights included, with what was said. Host memory is not on the ledger. */
async function assertNear(
  { gpu, config, tuning, weightsDtype }: Gpt2,
  need: WorkNeed,
  what: string,
  work: () => Promise<unknown>,
): Promise<void> {
  gpu.ledger.resetPeak();
  await work();
  const { weightsBytes } = memoryNeed(config, { ...tuning, weightsDtype });
  const peak = gpu.ledger.peak.total, said = weightsBytes + totalOf(need) - need.hostBytes;
  assert.ok(
    said >= peak && said <= 1.1 * peak,
    `${what}: ${said} bytes were said, the ledger's peak is ${peak}, a ratio of ${said / peak}`,
  );
}

const GRID: Plan["grid"] = {
  prompt_tokens: [40],
  new_tokens: [2],
  batch: [1],
  kv_dtype: ["f32"],
  block_size: [16],
  growth: ["static"],
  kv_capacity_tokens: [512],
};

/** A plan for the embedded model. */
function planOf(grid: { readonly [key: string]: Plan["grid"][string] }, settings: Partial<Plan> = {}): Plan {
  return {
    prompt: null,
    prompt_ids: null,
    sampling: "greedy",
    strategies: strategyNames("bench"),
    grid: { ...GRID, ...grid as Plan["grid"] },
    warmup_runs: 0,
    runs: 1,
    target_ci: 0.025,
    max_seconds: 30,
    seed: 0,
    ...settings,
  };
}

/** Strategies that are not compared by default, with memory beside the pool or a reference. */
const OTHERS = ["paged-gather", "window", "offload"];

const PLANS: readonly Plan[] = [
  planOf({}),
  planOf({ prompt_tokens: [20], batch: [16], kv_capacity_tokens: [256] }),
  planOf({ kv_dtype: ["int8"], batch: [8] }),
  planOf({ kv_dtype: ["f16"], batch: [5], block_size: [7], prompt_tokens: [9] }),
  planOf({ growth: ["dynamic"], batch: [3] }, { strategies: ["kv-cache"] }),
  planOf({ prompt_tokens: [100], batch: [4] }, { strategies: ["no-cache"] }),
  planOf({ block_size: [1, 16, 128] }, { strategies: ["paged", "kv-cache"] }), // five cells at once
  planOf({ window: [24], prompt_tokens: [200], batch: [3] }, { strategies: ["window"] }), // less than with its reference
  planOf({ prompt_tokens: [100], batch: [2] }, { strategies: OTHERS }),
];

Deno.test(
  "bench says what each of its groups will take: never less, and at most a tenth more",
  reading,
  async () => {
    await withTiny(async (model, context) => {
      for (const plan of PLANS) {
        const record: BenchResult = {
          ...fixtureResult(),
          plan,
          complete: false,
          groups: [],
          cells: [],
          unfinished: null,
        };
        const progress = { group: () => {}, run: () => {}, record: () => {} };
        await assertNear(
          model,
          benchNeed(context, plan),
          JSON.stringify(plan.grid),
          () => runBench(model, record, { progress }),
        );
      }
    });
  },
);

Deno.test("ladder says what its rungs will take: never less, and at most a tenth more", reading, async () => {
  await withTiny(async (model, context) => {
    const { gpu, tuning } = model, lowest = { model, weightsBytes: gpu.ledger.current.weights };
    const checkpoint = await locateModel("tiny");
    const half = await Gpt2.load(gpu, checkpoint, { tuning, weightsDtype: HALF_DTYPE });
    checkpoint.close();
    try {
      const { weightsBytes } = memoryNeed(model.config, { ...tuning, weightsDtype: HALF_DTYPE });
      for (const tokens of [3, 100]) {
        const plan = {
          ...{ prompt: null, prompt_ids: madeUpPrompt(tokens, model.config.vocabSize, 0), new_tokens: 2 },
          ...{ runs: 1, target_ci: 0.1, max_seconds: 1, seed: 0 },
        };
        await assertNear(
          model,
          ladderNeed(context, plan, weightsBytes),
          `a ladder with ${tokens} tokens`,
          () => runLadder((dtype) => dtype === HALF_DTYPE ? { model: half, weightsBytes } : lowest, plan),
        );
      }
    } finally {
      half.dispose();
    }
  });
});

Deno.test("A decoder takes to the byte what is said of it, in every strategy and type", reading, async () => {
  await withTiny(async (model, context) => {
    for (const kv_dtype of everyKvDtype()) {
      for (const growth of GROWTHS) {
        const grid = {
          kv_dtype: [kv_dtype],
          growth: [growth],
          batch: [3],
          prompt_tokens: [21],
          block_size: [6],
        };
        const strategies = [...strategyNames("bench"), ...OTHERS];
        for (const cell of groupsOf(planOf(grid, { strategies }))[0]!) {
          const options = decodingOf(cell), { ledger } = model.gpu;
          const before = ledger.current;
          await withDecoder(model, options, async (decoder) => {
            const { kvBytes, activationsBytes } = decodingNeed(context, options);
            const { kv, activations } = ledger.current;
            assert.equal(activations - before.activations, activationsBytes, cell.strategy);
            if (growth === "static" || cell.strategy !== "kv-cache") {
              assert.equal(kv - before.kv, kvBytes, cell.strategy);
            }
            await Promise.resolve(decoder);
          });
        }
      }
    }
  });
});

Deno.test(
  "Sampling, beams, perplexity, the float32 reference, golden prompts and profiles say what they will take",
  reading,
  async () => {
    await withTiny(async (model, context) => {
      const prompt = madeUpPrompt(50, model.config.vocabSize, 0);
      for (const strategy of strategyNames("bench")) {
        const options = { strategy, kvDtype: "f32", newTokens: 4 } as const;
        const need = (nSequences: number) =>
          groupNeed(context, { ...options, promptTokens: prompt.length, nSequences });
        const samplings = Array.from({ length: 12 }, (_, seed) => ({ ...GREEDY, temperature: 1, seed }));
        await assertNear(model, need(12), `12 samples with ${strategy}`, () =>
          sampleParallel(model, {
            ...options,
            ids: prompt,
            samplings,
            onToken: () => true,
          }));
        await assertNear(model, need(6), `6 beams with ${strategy}`, () =>
          beamSearch(model, prompt, {
            ...options,
            nBeams: 6,
            eos: undefined,
            lengthPenalty: 1,
            earlyStopping: "false",
          }));
      }
      for (const maxLength of [100, 512]) {
        const windows = { maxLength, kvDtype: "f32" } as const;
        await assertNear(
          model,
          perplexityNeed(context, windows),
          `perplexity by ${maxLength}`,
          () => perplexity(model, [madeUpPrompt(150, model.config.vocabSize, 1)], { ...windows, stride: 50 }),
        );
      }
      await assertNear(
        model,
        accuracyNeed(context, prompt.length, 20),
        "the float32 reference",
        () => referenceOf(model, prompt, 20),
      );
      for (const strategy of strategyNames("bench")) {
        await assertNear(
          model,
          goldenNeed(context, [strategy]),
          `golden prompts with ${strategy}`,
          () => checkGolden(model, strategy),
        );
      }
      if (!model.gpu.device.features.has("timestamp-query")) {
        return;
      }
      const profiled = {
        strategy: "paged",
        kvDtype: "f32",
        prompts: [prompt, prompt],
        steps: 1,
      } as const;
      await assertNear(model, profileNeed(context, profiled), "profile", () => profile(model, profiled));
    });
  },
);

Deno.test("serve-sim and serve say what their memory will take, with every policy", reading, async () => {
  await withTiny(async (model, context) => {
    const shape = shapeOf("tiny", model.config, { weightsDtype: "f32", kvDtype: "f32" });
    const plan: ServingPlan = {
      budgetBytes: 24 << 20,
      swapBytes: 1 << 20,
      kvOptions: { block_size: 16, allocator: "first-fit" },
      watermark: undefined,
      preemption: "recompute",
      maxSequences: 8,
      maxRows: 128,
      policies: ["kv-cache", "max", "oracle", "paged"],
      lengths: { dataSet: "alpaca" },
      lengthScale: 1,
      nRequests: 4,
      ratePerSecond: undefined,
      continuations: 1,
      prefixes: undefined,
      seed: 0,
      limits: undefined,
      verify: false,
    };
    for (const policy of plan.policies) {
      const served = { plan, policies: [policy], shape, kvDtype: "f32" } as const;
      await assertNear(
        model,
        servingNeed(context, served),
        policy,
        () => gpuRun({ ...plan, policies: [policy] }, shape, model, { kvDtype: "f32" }),
      );
    }
  });
});

/** Commands whose work is too large for any machine, and what of it is. */
const TOO_LARGE: readonly (readonly string[])[] = [
  ["bench", "--batch", "1024", "--prompt-tokens", "100"],
  ["bench", "--sweep", "batch=1,1024", "--prompt-tokens", "100"],
  ["bench", "--weights-dtype", "int8", "--batch", "1024", "--prompt-tokens", "100"],
  ["generate", "The", "--num-return-sequences", "128", "--max-new-tokens", "900", "--strategy", "kv-cache"],
  ["generate", "The", "--num-beams", "64", "--max-new-tokens", "1000", "--strategy", "kv-cache"],
  ["serve-sim", "--kv-budget", "9000GiB"],
  ["paper", "--kv-budget", "9000GiB"],
];

for (const args of TOO_LARGE) {
  Deno.test(
    `kvbench ${args.join(" ")} with gpt2-xl is refused before anything is loaded`,
    { ignore },
    async () => {
      const { code, stdout, stderr } = await kvbench(
        [...args, "--model", "gpt2-xl", "--weights", "synthetic"],
        { flags: ["--allow-sys=systemMemoryInfo"] },
      );
      assert.equal(code, 1, stderr);
      assert.equal(stdout, "");
      assert.match(
        stderr,
        /^Synthetic weights: [^\n]+\nkvbench: gpt2-xl \(synthetic[^\n]+\) does not fit: [^\n]+ take less\n$/,
      );
    },
  );
}
