/**
 * Quality against full float32: on a model on the GPU, held against float64 on the CPU and against golden logits, and on
 * the command line.
 */
import assert from "node:assert/strict";
import { parseQuality } from "../src/measure/quality/quality_result.ts";
import { probeOf, recallOf } from "../src/measure/quality/retrieval.ts";
import { scoreCells } from "../src/measure/quality/run_quality.ts";
import { partsOf, referencePart, scorePart } from "../src/measure/quality/score.ts";
import { plainStrategy, strategies } from "../src/kv/registry.ts";
import { locateModel } from "../src/hub/locate.ts";
import { parseServing } from "../src/simulate/serving_result.ts";
import { parseResult } from "../src/measure/record/result.ts";
import type { CellPlan } from "../src/measure/run/grid.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { goldenCase, ignore, inScratch, kvbench, RANDOM_SMALL } from "./cli_support.ts";
import { withRandomModel } from "./decode_support.ts";
import { AWKWARD, randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpt2Cpu } from "./fixtures/gpt2_cpu.ts";
import { gpuTest } from "./gpu_support.ts";

/** Returns a cell whose strategy has its defaults in all but some options. */
function cellOf(strategy: string, kv_dtype = "f32", options: CellPlan["settings"] | object = {}): CellPlan {
  return { strategy, settings: { prompt_tokens: 1, new_tokens: 1, batch: 1, kv_dtype, ...options } };
}

/** Softmax in float64. */
function probabilities(logits: ArrayLike<number>): number[] {
  const powers = Array.from(logits, Math.exp), sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

const IDS = Array.from({ length: 24 }, (_, i) => (i * 37 + 5) % 101);

gpuTest(
  "Every exact strategy in float32 is 0 nats from full float32, up to 1e-7, at every position",
  async (gpu) => {
    await withRandomModel(gpu, async (model) => {
      for (const promptTokens of [1, 9, IDS.length - 1]) {
        const reference = await referencePart(model, { ids: IDS, promptTokens });
        assert.equal(reference.rows.length, IDS.length - promptTokens);
        for (const { name } of strategies().filter(({ traits }) => traits.exact)) {
          const { divergences } = await scorePart(model, cellOf(name), reference);
          assert.equal(divergences.length, IDS.length - promptTokens);
          for (const { kld, sameTop, deltaP } of divergences) {
            assert.ok(Math.abs(kld) <= 1e-7 && sameTop && Math.abs(deltaP) < 1e-4, `${name}: ${kld}`);
          }
        }
      }
    });
  },
);

gpuTest("A narrower type of K and V is further from full float32, and holds fewer bytes", async (gpu) => {
  await withRandomModel(gpu, async (model) => {
    const parts = partsOf(IDS, { context: 12 });
    assert.deepEqual(parts.map(({ ids, promptTokens }) => [ids.length, promptTokens]), [[12, 7], [12, 7]]);
    const cells = ["f32", "f16", "int8"].map((dtype) => cellOf(plainStrategy().name, dtype));
    const { cells: scored } = await scoreCells({ f32: model, model }, cells, parts);
    const [f32, f16, int8] = scored.map(({ divergence, kv_bytes }) => [divergence.kld.mean.value, kv_bytes]);
    assert.ok(f32![0]! < f16![0]! && f16![0]! < int8![0]!, JSON.stringify(scored));
    assert.ok(f32![1]! === 2 * f16![1]! && f16![1]! > int8![1]!);
    for (const { divergence, kv_tokens } of scored) {
      assert.deepEqual([divergence.positions, kv_tokens], [10, 11]);
    }
  });
});

gpuTest("The reference is the model: its log-likelihoods are those of float64 on the CPU", async (gpu) => {
  const { checkpoint, config, tensors } = await randomCheckpoint(AWKWARD);
  const model = await Gpt2.load(gpu, checkpoint);
  checkpoint.close();
  try {
    const ids = IDS.map((id) => id % config.vocabSize), logits = gpt2Cpu(config, tensors, ids);
    const { rows } = await referencePart(model, { ids, promptTokens: 3 });
    rows.forEach((row, i) => {
      const position = i + 2, right = ids[position + 1]!;
      const p = probabilities(
        logits.subarray(position * config.vocabSize, (position + 1) * config.vocabSize),
      );
      assert.ok(Math.abs(row.logits[right]! - row.logSum - Math.log(p[right]!)) < 1e-4);
    });
  } finally {
    model.dispose();
  }
});

interface Golden {
  readonly name: string;
  readonly ids: readonly number[];
  readonly sinks: number;
  readonly window: number;
  readonly strategy: string;
  readonly greedy_ids: readonly number[];
  readonly rows: "each" | "first and last";
  readonly logits_file: string;
}

gpuTest(
  "A window's divergence is that of golden logits with its mask from golden logits without, token by token",
  async (gpu) => {
    const folder = new URL("golden/strategies-random-small/", import.meta.url);
    const cases: Golden[] = JSON.parse(await Deno.readTextFile(new URL("cases.json", folder)));
    const opened = await locateModel(RANDOM_SMALL),
      model = await Gpt2.load(gpu, opened),
      { vocabSize } = model.config;
    opened.close();
    try {
      let compared = 0;
      for (const item of cases.filter(({ strategy, rows }) => strategy === "window" && rows === "each")) {
        const { sinks, window, greedy_ids } = item, ids = [...item.ids, ...greedy_ids];
        const golden = new Float32Array((await Deno.readFile(new URL(item.logits_file, folder))).buffer);
        const reference = await referencePart(model, { ids, promptTokens: item.ids.length });
        const { divergences } = await scorePart(
          model,
          cellOf("window", "f32", { sinks, window }),
          reference,
        );
        assert.equal(divergences.length, greedy_ids.length);
        divergences.forEach(({ kld, nll, hit }, token) => {
          const q = probabilities(golden.subarray(token * vocabSize, (token + 1) * vocabSize));
          const p = probabilities(reference.rows[token]!.logits), right = greedy_ids[token]!;
          const expected = p.reduce((sum, x, id) => sum + x * Math.log(x / q[id]!), 0);
          assert.ok(
            Math.abs(kld - expected) < 1e-4 * (1 + expected),
            `${item.name}: ${kld}, not ${expected}`,
          );
          assert.ok(Math.abs(nll + Math.log(q[right]!)) < 1e-3);
          assert.equal(hit, true); // greedy ids are the likeliest under the mask
          compared++;
        });
      }
      assert.ok(compared >= 40, String(compared));
    } finally {
      model.dispose();
    }
  },
  { needs: ["read"] },
);

gpuTest(
  "Recall counts the tokens of the second time, and of full float32 it is that of the plain cache",
  async (gpu) => {
    await withRandomModel(gpu, async (model) => {
      const tokens = Array.from({ length: 40 }, (_, i) => 2 * i);
      const probe = await probeOf(model, tokens, 8, 0);
      for (const { part } of probe.sequences) {
        assert.deepEqual(part.ids.slice(0, 8), part.ids.slice(8));
        assert.equal(new Set(part.ids).size, 8);
      }
      const [reference, cell] = [
        await recallOf(model, probe),
        await recallOf(model, probe, cellOf(plainStrategy().name)),
      ];
      assert.equal(reference.positions, 19 * 7);
      assert.equal(cell.accuracy.value, reference.accuracy.value);
      assert.ok(Math.abs(cell.gain.value - reference.gain.value) < 1e-4);
    });
  },
);

Deno.test(
  "quality prints tables of 80 columns and writes a record that report reads",
  { ignore },
  async () => {
    const { ids } = await goldenCase("random-small", "full");
    await inScratch(async (folder) => {
      const text = `${folder}/ids.txt`, json = `${folder}/q.json`;
      await Deno.writeTextFile(text, ids.join(","));
      const args = [
        "quality",
        text,
        "--ids",
        "--model",
        RANDOM_SMALL,
        "--no-autotune",
        "--weights-dtype",
        "int8",
      ];
      const cells = ["--strategies", "kv-cache,window", "--kv-dtypes", "f32,int8"];
      const more = [...cells, "--context", "24", "--retrieval", "8", "--json", json];
      const options = { read: [RANDOM_SMALL], write: folder };
      const { code, stdout, stderr } = await kvbench([...args, ...more], options);
      assert.equal(code, 0, stderr);
      for (const line of stdout.split("\n")) assert.ok([...line].length <= 80, line);
      const result = parseQuality(JSON.parse(await Deno.readTextFile(json)), json);
      assert.deepEqual([result.text.parts, result.text.context, result.text.prompt_tokens], [2, 24, 13]);
      assert.ok(
        result.cells.every(({ divergence }) =>
          divergence.positions === 22 && divergence.kld.mean.value > 1e-6
        ),
      );
      assert.equal(result.retrieval?.cells.length, result.cells.length);
      const shown = await kvbench(["report", json], options);
      assert.equal(shown.stdout, stdout);
      const page = `${folder}/q.html`;
      assert.equal((await kvbench(["report", json, "-o", page], options)).code, 0);
      assert.match(await Deno.readTextFile(page), /pareto-memory/);
      const policies = ["--policies", "paged,window", "--kv-dtypes", "f32,int8", "--kv-budget", "256KiB"];
      const serving = [
        "serve-sim",
        "--dry-run",
        "--model",
        RANDOM_SMALL,
        ...policies,
        "--quality",
        json,
        "--json",
        "-",
      ];
      const served = await kvbench([...serving, "--requests", "9"], options);
      assert.equal(served.code, 0, served.stderr);
      const { results } = parseServing(JSON.parse(served.stdout), "stdout");
      assert.deepEqual(
        results.map(({ policy, kv_dtype }) => `${policy} ${kv_dtype}`),
        ["paged f32", "window f32", "paged int8", "window int8"],
      );
      const kldOf = (strategy: string, dtype: string) =>
        result.cells.find((cell) => cell.strategy === strategy && cell.settings.kv_dtype === dtype)!
          .divergence.kld.mean
          .value;
      assert.deepEqual(
        results.map(({ quality }) => quality?.kld_mean),
        [0, kldOf("window", "f32"), kldOf("kv-cache", "int8"), kldOf("window", "int8")],
      );
      assert.ok(results[2]!.capacity_tokens > 2 * results[0]!.capacity_tokens); // the same bytes
    });
  },
);

Deno.test("quality refuses in one line what it cannot score", { ignore }, async () => {
  const wrong: [args: string[], error: RegExp][] = [
    [["--context", "64"], /--context is 64: the model's context is 48 tokens/],
    [["--context", "8", "--prompt-tokens", "8"], /A part of 8 tokens has none after a prompt of 8: expected/],
    [["--retrieval", "30"], /A distance of 30 tokens is too far: expected at most 24/],
    [["--sweep", "batch=1,2"], /batch is swept: expected an option of a strategy/],
    [["--kv-dtypes", "f64"], /"f64" is unknown: expected f32/],
  ];
  await inScratch(async (folder) => {
    await Deno.writeTextFile(`${folder}/ids.txt`, Array.from({ length: 48 }, (_, i) => i).join(","));
    for (const [args, error] of wrong) {
      const model = ["--model", RANDOM_SMALL, "--no-autotune", "--ids"];
      const { code, stdout, stderr } = await kvbench(["quality", `${folder}/ids.txt`, ...model, ...args], {
        read: [RANDOM_SMALL, folder],
      });
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr.trim(), error);
      assert.equal(stderr.trim().split("\n").length, 1);
    }
  });
});

Deno.test(
  "bench has the quality of what is not exact, once for all batches and exact strategies",
  { ignore },
  async () => {
    await inScratch(async (folder) => {
      const json = `${folder}/r.json`,
        runs = ["--runs", "1", "--warmup", "0", "--json", json, "--no-autotune"];
      const work = [
        "--prompt-tokens",
        "20",
        "--new-tokens",
        "4",
        "--sweep",
        "batch=1,2",
        "--sweep",
        "kv-dtype=f32,int8",
      ];
      const args = ["bench", "--model", RANDOM_SMALL, "--strategies", "kv-cache,paged", ...work, ...runs];
      const options = { read: [RANDOM_SMALL], write: folder };
      const { code, stdout, stderr } = await kvbench([...args, "--format", "table"], options);
      assert.equal(code, 0, stderr);
      const result = parseResult(JSON.parse(await Deno.readTextFile(json)), json);
      assert.equal(result.quality.length, 1);
      const [{ settings, divergence }] = result.quality as [typeof result.quality[number]];
      assert.deepEqual([settings.kv_dtype, settings.batch, divergence.positions], ["int8", 1, 23]);
      assert.ok(divergence.kld.mean.value > 0 && divergence.kld.mean.value < 0.1);
      assert.match(stdout, /KLD, nats/);
      assert.match((await kvbench(["report", json, "--format", "csv"], options)).stdout, /,kld_mean,/);
    });
  },
);
