/**
 * `kvbench serve-sim`: many requests against a K/V budget, with one policy after another; prints a table and writes a
 * JSON result.
 *
 * @module
 */
import { Command, Option } from "npm:commander@15.1.0";
import type { PolicyName } from "../engine/scheduler/create_memory.ts";
import { locateModel } from "../hub/locate.ts";
import { dryRun } from "../measure/serving/dry_run.ts";
import { gpuRun } from "../measure/serving/gpu_run.ts";
import { HARDWARE, type Hardware } from "../measure/serving/hardware.ts";
import { type ModelShape, OPT_SHAPES, shapeOf } from "../measure/serving/model_shape.ts";
import { servingRecord } from "../measure/serving/record.ts";
import type { ServingResult } from "../measure/serving/result.ts";
import type { ServingProgress } from "../measure/serving/run_policy.ts";
import { type Gpt2Config, type PresetName, PRESETS } from "../model/config.ts";
import { servingTable } from "../report/serving_table.ts";
import { writeWhole } from "../report/write.ts";
import { addKvDtypeOption, addModelOptions, type PrecisionOptions } from "./model_options.ts";
import { progressBar } from "./progress.ts";
import { addServingOptions, lengthSource, planOf, type ServingOptions } from "./serving_options.ts";
import { withSession } from "./session.ts";

interface Options extends PrecisionOptions, ServingOptions {
  readonly dryRun: boolean;
  readonly gpu: string;
  readonly json?: string;
}

/** Declares the subcommand. */
export function serveSimCommand(): Command {
  const command = new Command("serve-sim")
    .description("Serve many requests from one K/V budget, with one memory policy after another")
    .option("--dry-run", "without a GPU: scheduler and allocators alone, times from a model", false)
    .addOption(
      new Option("--gpu <name>", "whose rates the dry run's times are modelled on")
        .choices(HARDWARE.map(({ name }) => name)).default("a100-40gb"),
    );
  return addServingOptions(addKvDtypeOption(addModelOptions(command)))
    .option("--json <file>", "write the result there; with -, print it and nothing else")
    .action(run);
}

async function run(options: Options): Promise<void> {
  const result = options.dryRun ? await simulate(options) : await serve(options);
  if (options.json === "-") return console.log(JSON.stringify(result, null, 2));
  console.log(servingTable(result));
  if (options.json === undefined) return;
  await writeWhole(options.json, JSON.stringify(result, null, 2) + "\n");
}

/** Without a GPU. */
async function simulate(options: Options): Promise<ServingResult> {
  const shape = await shapeFor(options);
  const plan = planOf(options, shape, { lengths: await lengthSource(options), dryRun: true });
  const hardware = HARDWARE.find(({ name }) => name === options.gpu)!;
  const created = new Date().toISOString();
  const results = await withProgress(
    plan.nRequests,
    (onProgress) => dryRun(plan, shape, { hardware, onProgress }),
  );
  return servingRecord(plan, shape, { created, command: [...Deno.args], clock: modelled(hardware), results });
}

/** On the GPU. */
async function serve(options: Options): Promise<ServingResult> {
  return await withSession(options, async ({ config, name }) => {
    const shape = shapeOf(name, config, options);
    return { shape, plan: planOf(options, shape, { lengths: await lengthSource(options), dryRun: false }) };
  }, async ({ gpu, model }, { shape, plan }) => {
    const created = new Date().toISOString();
    const { kvDtype } = options;
    const results = await withProgress(
      plan.nRequests,
      (onProgress) => gpuRun(plan, shape, model, { kvDtype, onProgress }),
    );
    const { description, software } = gpu.facts;
    const clock = { source: "gpu", adapter: description, software } as const;
    return servingRecord(plan, shape, { created, command: [...Deno.args], clock, results });
  });
}

/** Shows a bar for each policy while `work` runs. */
async function withProgress<T>(
  nRequests: number,
  work: (onProgress: ServingProgress) => Promise<T>,
): Promise<T> {
  const bar = progressBar();
  let shown: PolicyName | undefined;
  try {
    return await work((policy, nFinished) => {
      if (policy !== shown) bar.start(policy, nRequests, "requests");
      shown = policy;
      bar.update(nFinished, policy);
    });
  } finally {
    bar.stop();
  }
}

async function shapeFor({ model, weightsDtype, kvDtype }: Options): Promise<ModelShape> {
  const known = OPT_SHAPES.find(({ name }) => name === model);
  if (known !== undefined) return known;
  return shapeOf(model, await configFor(model), { weightsDtype, kvDtype });
}

/** A model's dimensions; those of published ones are known without a checkpoint. */
async function configFor(model: string): Promise<Gpt2Config> {
  if (Object.hasOwn(PRESETS, model)) return PRESETS[model as PresetName];
  const checkpoint = await locateModel(model);
  checkpoint.close();
  return checkpoint.config;
}

function modelled(hardware: Hardware): ServingResult["clock"] {
  return {
    source: "model",
    gpu: hardware.name,
    bytes_per_second: hardware.bytesPerSecond,
    flops_per_second: hardware.flopsPerSecond,
    host_bytes_per_second: hardware.hostBytesPerSecond,
    overhead_ms: hardware.overheadMs,
  };
}
