/**
 * `kvbench serve-sim`: many requests against a K/V budget, with one policy after another; prints a table and writes a
 * JSON result.
 *
 * @module
 */
import { Command } from "npm:commander@15.1.0";
import type { PolicyName } from "../engine/scheduler/create_memory.ts";
import { servingRecord } from "../measure/serving/record.ts";
import type { ServingResult } from "../measure/serving/result.ts";
import type { ServingProgress } from "../measure/serving/run_policy.ts";
import { formatJson } from "../report/json.ts";
import { servingTable } from "../report/serving_table.ts";
import { writeWhole } from "../report/write.ts";
import { addKvDtypeOption, addModelOptions } from "./model_options.ts";
import { progressBar } from "./progress.ts";
import { addServingOptions, lengthSource, planOf, type ServingOptions } from "./serving_options.ts";
import { addDryRunOptions, type SimulatorOptions, withSimulator } from "./serving_runner.ts";

interface Options extends SimulatorOptions, ServingOptions {
  readonly json?: string;
}

/** Declares the subcommand. */
export function serveSimCommand(): Command {
  const command = new Command("serve-sim")
    .description("Serve many requests from one K/V budget, with one memory policy after another");
  return addServingOptions(addDryRunOptions(addKvDtypeOption(addModelOptions(command))))
    .option("--json <file>", "write the result there; with -, print it and nothing else")
    .action(run);
}

async function run(options: Options): Promise<void> {
  const result = await withSimulator(options, async (shape) => {
    return planOf(options, shape, { lengths: await lengthSource(options), dryRun: options.dryRun });
  }, async ({ shape, facts, run }, plan): Promise<ServingResult> => {
    const results = await withProgress(plan.nRequests, (onProgress) => run(plan, onProgress));
    return servingRecord(plan, shape, { ...facts, results });
  });
  if (options.json === "-") return console.log(formatJson(result));
  console.log(servingTable(result));
  if (options.json !== undefined) await writeWhole(options.json, formatJson(result) + "\n");
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
