/**
 * A sweep of one's own: what each storage type of the weights costs and saves, which `bench --sweep` cannot vary,
 * since each takes a model of its own. Prints CSV.
 *
 *     deno run -R examples/own_sweep.ts [model] [new tokens]
 *
 * @module
 */
import {
  Gpt2,
  locateModel,
  machineFacts,
  newResult,
  openGpu,
  type Plan,
  runBench,
  WEIGHT_DTYPES,
} from "../mod.ts";

const [model = "tiny", newTokens = "16"] = Deno.args;
const plan: Plan = {
  prompt: null,
  prompt_ids: null, // made up from the seed
  sampling: "greedy",
  strategies: ["kv-cache"],
  grid: { prompt_tokens: [64], new_tokens: [Number(newTokens)], batch: [1], kv_dtype: ["f32"] },
  warmup_runs: 1,
  runs: 5,
  target_ci: 0.025,
  max_seconds: 30,
  seed: 1,
};

const gpu = await openGpu();
const checkpoint = await locateModel(model);
const weights = await checkpoint.origin(), machine = await machineFacts();
console.log("weights,tpot_ms,peak_bytes");
for (const weightsDtype of WEIGHT_DTYPES) {
  const loaded = await Gpt2.load(gpu, checkpoint, { weightsDtype });
  const begun = await newResult(loaded, { plan, name: checkpoint.name, weights, machine });
  const result = await runBench(loaded, begun);
  const { tpot_ms, memory } = result.cells[0]!;
  console.log(`${weightsDtype},${tpot_ms!.median.toFixed(3)},${memory.peak_bytes.total}`);
  loaded.dispose();
}
checkpoint.close();
gpu.dispose();
