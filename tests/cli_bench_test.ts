/**
 * `kvbench bench` and `kvbench doctor` as a user runs them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { locateModel } from "../src/hub/locate.ts";
import { STRATEGY_NAMES } from "../src/kv/strategy.ts";
import { type BenchResult, parseResult, type StrategyResult } from "../src/measure/result.ts";
import { memoryNeed } from "../src/model/memory.ts";
import { goldenCase, ignore, inScratch, kvbench, namesIn, stdoutOf } from "./cli_support.ts";

const SHORT = ["bench", "--runs", "1", "--warmup", "0", "--new-tokens", "4"];
/** Of the embedded model: 2 · width 128 · 4 bytes, for a token in one layer. */
const ROW_BYTES = 1024;
const N_LAYER = 6;
const N_CTX = 1024;

async function measure(...args: string[]): Promise<BenchResult> {
  return parseResult(JSON.parse(await stdoutOf([...SHORT, ...args, "--json", "-"])), "stdout");
}

function only(result: BenchResult, name: StrategyResult["strategy"]): StrategyResult {
  const found = result.results.find(({ strategy }) => strategy === name);
  assert.ok(found, name);
  return found;
}

/** Checks what holds for every result: K/V figures obey the formula, and waste adds up. */
function checkMemory({ workload, results }: BenchResult): void {
  const tokens = workload.prompt_tokens + workload.new_tokens - 1; // the last token's K and V aren't computed
  for (const each of results) {
    const layers = each.strategy === "no-cache" ? 1 : N_LAYER;
    assert.equal(each.kv_tokens, tokens);
    assert.equal(each.kv_layers_kept, layers);
    assert.equal(each.kv_used_bytes, layers * tokens * ROW_BYTES);
    const { reserved_for_later, internal, external } = each.kv_waste_bytes;
    assert.equal(each.kv_used_bytes + reserved_for_later + internal, each.kv_reserved_bytes);
    assert.ok(each.kv_reserved_bytes + external <= each.kv_allocated_bytes);
    assert.ok(each.kv_allocated_bytes <= each.gpu_peak_bytes.kv);
    const { total, ...categories } = each.gpu_peak_bytes;
    assert.ok(total <= Object.values(categories).reduce((sum, bytes) => sum + bytes));
    assert.equal(each.kv_timeline.length, workload.new_tokens);
    assert.equal(each.kv_timeline.at(-1)?.used_bytes, each.kv_used_bytes);
    assert.equal(each.kv_timeline.at(-1)?.reserved_bytes, each.kv_reserved_bytes);
  }
}

Deno.test("bench --json - prints nothing but a result, in which the strategies agree and bytes add up", {
  ignore,
}, async () => {
  const { prompt, ids, greedy } = await goldenCase("tiny", "seed");
  const result = await measure();
  const { workload, results } = result;
  assert.deepEqual(results.map(({ strategy }) => strategy), STRATEGY_NAMES);
  assert.equal(workload.prompt, prompt);
  assert.deepEqual(workload.prompt_ids, ids);
  for (const { token_ids, text, ttft_ms, tpot_ms, e2e_ms, itl_ms } of results) {
    assert.deepEqual(token_ids, greedy.slice(0, 4));
    assert.equal(text, results[0]?.text);
    for (const { samples, median } of [ttft_ms, tpot_ms, e2e_ms]) assert.deepEqual(samples, [median]);
    assert.ok(e2e_ms.median >= ttft_ms.median);
    assert.equal(itl_ms.samples.length, 3);
  }
  assert.equal(workload.order.length, 1);
  checkMemory(result);
  const tokens = ids.length + 4;
  assert.equal(only(result, "no-cache").kv_reserved_bytes, tokens * ROW_BYTES);
  assert.equal(only(result, "kv-cache").kv_reserved_bytes, N_CTX * N_LAYER * ROW_BYTES);
  assert.equal(only(result, "paged").kv_reserved_bytes, 32 * N_LAYER * ROW_BYTES); // 25 tokens in blocks of 16
  assert.equal(only(result, "paged").kv_allocated_bytes, N_CTX * N_LAYER * ROW_BYTES);

  const checkpoint = await locateModel("tiny");
  checkpoint.close();
  const NO_BIAS = 16; // a vector that is bound where a kernel declares a bias and the model has none
  for (const { gpu_peak_bytes } of results) {
    assert.equal(
      gpu_peak_bytes.weights,
      memoryNeed(checkpoint.config, { tileGroup: Number(result.environment.tuning["tileGroup"]) })
        .weightsBytes +
        NO_BIAS,
    );
  }
});

Deno.test("bench reserves what is used with --growth dynamic and --block-size 1", { ignore }, async () => {
  const result = await measure("--growth", "dynamic", "--block-size", "1", "--prompt-tokens", "7");
  checkMemory(result);
  assert.equal(result.workload.prompt, null);
  assert.equal(result.workload.prompt_tokens, 7);
  for (const name of ["kv-cache", "paged"] as const) {
    const { kv_reserved_bytes, kv_used_bytes, kv_waste_bytes } = only(result, name);
    assert.equal(kv_reserved_bytes, kv_used_bytes);
    assert.deepEqual(kv_waste_bytes, { reserved_for_later: 0, internal: 0, external: 0 });
  }
  assert.equal(only(result, "kv-cache").kv_allocated_bytes, 10 * N_LAYER * ROW_BYTES);
});

Deno.test(
  "bench --strategies measures those alone, in the order given, and --prompt-tokens keeps to the seed",
  {
    ignore,
  },
  async () => {
    const args = ["--strategies", "paged,no-cache", "--prompt-tokens", "5", "--kv-capacity", "40", "--seed"];
    const [first, same, other] = [
      await measure(...args, "3"),
      await measure(...args, "3"),
      await measure(...args, "4"),
    ];
    checkMemory(first);
    assert.deepEqual(first.results.map(({ strategy }) => strategy), ["paged", "no-cache"]);
    assert.equal(only(first, "paged").kv_allocated_bytes, 48 * N_LAYER * ROW_BYTES); // 40 tokens in whole blocks
    assert.deepEqual(first.workload.prompt_ids, same.workload.prompt_ids);
    assert.deepEqual(first.workload.order, same.workload.order);
    assert.notDeepEqual(first.workload.prompt_ids, other.workload.prompt_ids);
  },
);

Deno.test("bench --out writes one result and one chart and nothing else, and prints a table", {
  ignore,
}, async () => {
  await inScratch(async (folder) => {
    const stdout = await stdoutOf([...SHORT, "--out", `${folder}/new`], { write: folder, charts: true });
    const names = namesIn(`${folder}/new`);
    assert.equal(names.length, 2);
    const [json = "", png = ""] = names;
    assert.match(json, /^kvbench-\d{8}-\d{6}\.json$/);
    assert.equal(png, json.replace(/json$/, "png"));
    const result = parseResult(JSON.parse(await Deno.readTextFile(`${folder}/new/${json}`)), json);
    checkMemory(result);
    assert.deepEqual(result.command, [...SHORT, "--out", `${folder}/new`]);
    const signature = (await Deno.readFile(`${folder}/new/${png}`)).subarray(0, 8);
    assert.deepEqual([...signature], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    for (const word of [...STRATEGY_NAMES, "TTFT", "TPOT", "weights", json, png]) {
      assert.ok(stdout.includes(word), word);
    }
    assert.ok(stdout.includes(JSON.stringify(result.results[0]?.text)));
  });
});

Deno.test("bench leaves no half-written file where the folder can't be written", { ignore }, async () => {
  await inScratch(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    for (const args of [["--out", `${folder}/file/new`], ["--json", `${folder}/file/new.json`]]) {
      const { code, stderr } = await kvbench([...SHORT, ...args], { write: folder });
      assert.equal(code, 1);
      assert.match(stderr, /^kvbench: Cannot (list|write) .+\n$/m);
    }
    assert.deepEqual(namesIn(folder), ["file"]);
  });
});

Deno.test("doctor tells the adapter, its limits and which models fit, as a table and as JSON", {
  ignore,
}, async () => {
  const report = JSON.parse(await stdoutOf(["doctor", "--json"]));
  assert.deepEqual(Object.keys(report), [
    "adapter",
    "runtime",
    "features",
    "limits",
    "fence",
    "memory",
    "models",
  ]);
  assert.equal(typeof report.adapter.software, "boolean");
  assert.equal(report.runtime.deno, Deno.version.deno);
  assert.equal(typeof report.fence.blocks, "boolean");
  assert.ok(report.limits.maxStorageBufferBindingSize >= 128 << 20);
  const models: { name: string; kv_bytes_per_token: number; total_bytes: number; fits: string }[] =
    report.models;
  assert.deepEqual(models.map(({ name }) => name), [
    "tiny",
    "distilgpt2",
    "gpt2",
    "gpt2-medium",
    "gpt2-large",
    "gpt2-xl",
  ]);
  assert.equal(models[0]?.kv_bytes_per_token, N_LAYER * ROW_BYTES);
  for (const { fits } of models) assert.ok(["yes", "no", "unknown"].includes(fits), fits);

  const table = await stdoutOf(["doctor"]);
  for (const text of [report.adapter.description, "shader-f16", "fence", "gpt2-xl"]) {
    assert.ok(table.includes(text), text);
  }
});
