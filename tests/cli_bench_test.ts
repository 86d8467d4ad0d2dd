/** `kvbench bench` and `kvbench doctor` as a user runs them. */
import assert from "node:assert/strict";
import { locateModel } from "../src/hub/locate.ts";
import { strategyNames } from "../src/kv/registry.ts";
import type { Cell } from "../src/measure/record/cell.ts";
import { type BenchResult, parseResult } from "../src/measure/record/result.ts";
import { memoryNeed } from "../src/model/memory.ts";
import { goldenCase, ignore, inScratch, kvbench, namesIn, stdoutOf, WEIGHTS } from "./cli_support.ts";

const SHORT = ["bench", "--runs", "1", "--warmup", "0", "--new-tokens", "4"];
const QUICK = ["--no-autotune"];
/** Of the embedded model: 2 · width 128 · 4 bytes, for a token in one layer. */
const ROW_BYTES = 1024;
const N_LAYER = 6;
const N_CTX = 1024;

async function measure(...args: string[]): Promise<BenchResult> {
  return parseResult(JSON.parse(await stdoutOf([...SHORT, ...args, "--json", "-"])), "stdout");
}

function only(result: BenchResult, name: Cell["strategy"]): Cell {
  const found = result.cells.find(({ strategy }) => strategy === name);
  assert.ok(found, name);
  return found;
}

/** Checks what holds for every result: K/V figures obey the formula, and the parts add up. */
function checkMemory({ cells }: BenchResult): void {
  for (const { strategy, settings, memory } of cells) {
    const layers = strategy === "no-cache" ? 1 : N_LAYER;
    // the last token's K and V aren't computed
    const tokens = settings.batch * (settings.prompt_tokens + settings.new_tokens - 1);
    assert.equal(memory.kv_tokens, tokens);
    assert.equal(memory.kv_layers_kept, layers);
    assert.equal(memory.kv_used_bytes, layers * tokens * ROW_BYTES);
    assert.ok(memory.kv_allocated_bytes <= memory.peak_bytes.kv);
    for (const { total, ...categories } of [memory.peak_bytes, memory.end_bytes]) {
      const sum = Object.values(categories).reduce((sum, bytes) => sum + bytes);
      if (total !== memory.peak_bytes.total) assert.equal(total, sum);
      assert.ok(total <= sum);
    }
    const {
      total_bytes,
      kv_allocated_bytes,
      kv_used_bytes,
      kv_for_later_bytes,
      kv_internal_bytes,
      kv_external_bytes,
      created_buffers,
      created_bytes,
      splits,
    } = memory.timeline;
    const creates = settings.growth === "dynamic" && strategy !== "no-cache";
    for (let token = 1; token < settings.new_tokens; token++) {
      assert.equal(created_buffers![token], creates ? layers : 0, strategy);
      assert.equal(created_bytes![token]! > 0, creates);
      assert.equal(splits![token]! > 0, layers > 1);
    }
    assert.equal(total_bytes.length, settings.new_tokens);
    assert.equal(kv_used_bytes.at(-1), memory.kv_used_bytes);
    assert.equal(kv_for_later_bytes.at(-1), 0);
    assert.equal(memory.kv_used_bytes + kv_internal_bytes.at(-1)!, memory.kv_reserved_bytes);
    kv_allocated_bytes.forEach((allocated, i) => {
      const parts = [kv_used_bytes, kv_for_later_bytes, kv_internal_bytes, kv_external_bytes];
      assert.ok(parts.reduce((sum, part) => sum + part[i]!, 0) <= allocated);
    });
  }
}

Deno.test("bench --json - prints nothing but a result, in which the strategies agree and bytes add up", {
  ignore,
}, async () => {
  const { prompt, ids, greedy } = await goldenCase("tiny", "seed");
  const result = await measure();
  const { plan, cells, groups, start } = result;
  assert.deepEqual(cells.map(({ strategy }) => strategy), strategyNames("bench"));
  assert.equal(plan.prompt, prompt);
  const { ready_ms, model_ms, weights_ms, kernels_ms, tuning_ms } = start!;
  assert.ok(ready_ms > model_ms + weights_ms + kernels_ms + tuning_ms && weights_ms > 0);
  assert.deepEqual(plan.prompt_ids, ids);
  const checked = result.self_check!.map(({ kernel, verdict }) => [kernel, verdict]);
  assert.deepEqual(checked, [["golden prompts", "right"]]);
  for (const { token_ids, texts, ttft_ms, tpot_ms, e2e_ms, itl_ms } of cells) {
    assert.deepEqual(token_ids, [greedy.slice(0, 4)]);
    assert.deepEqual(texts, cells[0]?.texts);
    for (const { samples, median } of [ttft_ms, tpot_ms!, e2e_ms]) assert.deepEqual(samples, [median]);
    assert.ok(e2e_ms.median >= ttft_ms.median);
    assert.deepEqual(itl_ms?.runs.map(({ length }) => length), [3]);
  }
  assert.deepEqual(groups.map(({ order }) => order.length), [1]);
  assert.ok(result.complete && result.unfinished === null);
  assert.deepEqual(result.model.weights, {
    source: "checkpoint",
    sha256: new Uint8Array(
      await crypto.subtle.digest("SHA-256", await Deno.readFile(`${WEIGHTS}/tiny/model.safetensors`)),
    ).toHex(),
  });
  checkMemory(result);
  const tokens = ids.length + 4;
  assert.equal(only(result, "no-cache").memory.kv_reserved_bytes, tokens * ROW_BYTES);
  assert.equal(only(result, "kv-cache").memory.kv_reserved_bytes, N_CTX * N_LAYER * ROW_BYTES);
  assert.equal(only(result, "paged").memory.kv_reserved_bytes, 32 * N_LAYER * ROW_BYTES); // 25 tokens in blocks of 16
  assert.equal(only(result, "paged").memory.kv_allocated_bytes, N_CTX * N_LAYER * ROW_BYTES);

  const checkpoint = await locateModel("tiny");
  checkpoint.close();
  const NO_BIAS = 16; // a vector that is bound where a kernel declares a bias and the model has none
  const { tileGroup, texels } = result.environment.tuning;
  const packing = { tileGroup: Number(tileGroup), texels: Boolean(texels) };
  for (const { memory } of cells) {
    assert.equal(memory.peak_bytes.weights, memoryNeed(checkpoint.config, packing).weightsBytes + NO_BIAS);
  }
});

Deno.test(
  "bench takes types of K and V apart, and compares what is narrower with float32 unless told not to",
  {
    ignore,
  },
  async () => {
    const narrow = [...QUICK, "--strategies", "kv-cache", "--weights-dtype", "int8", "--k-dtype", "int8"];
    const { plan, cells, accuracy, accuracy_missing } = await measure(
      ...narrow,
      "--sweep",
      "v-dtype=int4,f16",
    );
    const types = ["int8/int4", "int8/f16"];
    assert.deepEqual(plan.grid.kv_dtype, types);
    assert.deepEqual(cells.map(({ settings }) => settings.kv_dtype), types);
    assert.match(cells[0]!.memory.kv_formula, /layers · \(\(.* 1 bytes .*\) \+ \(.* 0\.5 bytes .*\)\)/);
    assert.equal(accuracy_missing, null);
    assert.deepEqual(
      accuracy.map(({ weights_dtype, kv_dtype, positions }) => [weights_dtype, kv_dtype, positions]),
      types.map((type) => ["int8", type, 4]),
    );
    for (const { max_logit_difference: difference, stored, stored_f32 } of accuracy) {
      assert.ok(0 < difference && difference < 2, String(difference));
      assert.ok(stored.weights_bytes < 0.3 * stored_f32.weights_bytes);
      assert.equal(stored_f32.kv_bytes_per_token, N_LAYER * ROW_BYTES);
    }
    const without = await measure(...narrow, "--v-dtype", "f16", "--no-accuracy");
    assert.deepEqual([without.accuracy, without.accuracy_missing], [[], "--no-accuracy"]);
  },
);

Deno.test("bench --sweep measures every combination once, and reserves what is used where memory grows", {
  ignore,
}, async () => {
  const result = await measure(
    ...[...QUICK, "--strategies", "kv-cache,paged", "--growth", "dynamic", "--block-size", "1"],
    ...["--sweep", "batch=1,3", "--sweep", "prompt-tokens=7,9"],
  );
  checkMemory(result);
  assert.equal(result.plan.prompt, null);
  assert.deepEqual(
    result.cells.map(({ group, strategy, settings: { prompt_tokens, batch } }) =>
      `${group} ${strategy} ${prompt_tokens} ${batch}`
    ),
    [7, 9].flatMap((prompt, i) =>
      [1, 3].flatMap((batch, j) =>
        ["kv-cache", "paged"].map((strategy) => `${2 * i + j} ${strategy} ${prompt} ${batch}`)
      )
    ),
  );
  for (const { settings: { batch }, token_ids, memory, tpot_ms, decode_tokens_per_second } of result.cells) {
    assert.equal(token_ids.length, batch);
    assert.equal(memory.kv_reserved_bytes, memory.kv_used_bytes);
    assert.deepEqual(memory.timeline.kv_internal_bytes, [0, 0, 0, 0]);
    assert.equal(decode_tokens_per_second, batch * 1000 / tpot_ms!.median);
  }
  const [cache] = result.cells;
  assert.equal(cache!.memory.kv_allocated_bytes, 10 * N_LAYER * ROW_BYTES);
});

Deno.test(
  "bench --strategies measures those alone, in the order given, and --prompt-tokens keeps to the seed",
  {
    ignore,
  },
  async () => {
    const args = [
      ...QUICK,
      "--strategies",
      "paged,no-cache",
      "--prompt-tokens",
      "5",
      "--kv-capacity",
      "40",
      "--seed",
    ];
    const [first, same, other] = [
      await measure(...args, "3"),
      await measure(...args, "3"),
      await measure(...args, "4"),
    ];
    checkMemory(first);
    assert.deepEqual(first.cells.map(({ strategy }) => strategy), ["paged", "no-cache"]);
    assert.equal(only(first, "paged").memory.kv_allocated_bytes, 48 * N_LAYER * ROW_BYTES); // whole blocks
    assert.deepEqual(first.cells[0]!.token_ids, same.cells[0]!.token_ids);
    assert.deepEqual(first.groups[0]!.order, same.groups[0]!.order);
    assert.notDeepEqual(first.cells[0]!.token_ids, other.cells[0]!.token_ids);
  },
);

Deno.test("bench --out writes a result, its page and its chart and nothing else, and prints a table", {
  ignore,
}, async () => {
  await inScratch(async (folder) => {
    const stdout = await stdoutOf([...SHORT, ...QUICK, "--out", `${folder}/new`], {
      write: folder,
      charts: true,
    });
    const names = namesIn(`${folder}/new`);
    assert.equal(names.length, 3);
    const [html = "", json = "", png = ""] = names;
    assert.match(json, /^kvbench-\d{8}-\d{6}\.json$/);
    assert.deepEqual([html, png], ["html", "png"].map((end) => json.replace(/json$/, end)));
    assert.match(await Deno.readTextFile(`${folder}/new/${html}`), /^<!doctype html>[^]*<\/html>/);
    const result = parseResult(JSON.parse(await Deno.readTextFile(`${folder}/new/${json}`)), json);
    checkMemory(result);
    assert.deepEqual(result.command, [...SHORT, ...QUICK, "--out", `${folder}/new`]);
    const signature = (await Deno.readFile(`${folder}/new/${png}`)).subarray(0, 8);
    assert.deepEqual([...signature], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    for (const word of [...strategyNames("bench"), "TTFT", "TPOT", "weights", html, json, png]) {
      assert.ok(stdout.includes(word), word);
    }
    assert.ok(stdout.includes(JSON.stringify(result.cells[0]?.texts?.[0])));
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
    "backends",
    "features",
    "limits",
    "fence",
    "memory",
    "start",
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

  const less = ["--disable-feature", "timestamp-query", "--disable-feature", "subgroups"];
  const table = await stdoutOf(["doctor", ...less]);
  for (const text of [report.adapter.description, "fence", "gpt2-xl"]) assert.ok(table.includes(text), text);
  const { features, offered_features: offered } = report.adapter;
  assert.deepEqual(features, offered.filter((name: string) => name in report.features));
  for (const name of Object.keys(report.features)) {
    const state = name !== "shader-f16" ? "switched off" : offered.includes(name) ? "yes" : "unavailable";
    assert.match(table, new RegExp(`^${name} +${state}$`, "m"));
  }
  assert.match(table, /^features not used +/m);
  for (const name of offered) assert.ok(table.includes(name), name);
});
