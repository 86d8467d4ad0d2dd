/**
 * `kvbench serve-sim`: many requests against a K/V budget, with one policy after another; prints a table and writes a
 * JSON result.
 *
 * @module
 */
import { Command } from "../options/commander.ts";
import { servingRecord, type ServingResult } from "../../simulate/serving_result.ts";
import { servingTable } from "../../report/serving_table.ts";
import { describeHelp } from "../options/help.ts";
import { addJsonOption, checkJson, giveResult, type JsonOptions } from "../options/json_output.ts";
import { addKvDtypeOptions, addModelOptions } from "../options/model_options.ts";
import { withRequests } from "../terminal/request_progress.ts";
import {
  addServingOptions,
  lengthSource,
  type ServingOptions,
  servingPlanOf,
} from "../options/serving_options.ts";
import { addDryRunOptions, type SimulatorOptions, withSimulator } from "./serve_sim/serving_runner.ts";

type Options = SimulatorOptions & ServingOptions & JsonOptions;

export function serveSimCommand(): Command {
  const command = addDryRunOptions(addKvDtypeOptions(addModelOptions(new Command("serve-sim"))));
  return describeHelp(addJsonOption(addServingOptions(command)), {
    everyday: "model policies kv-budget lengths requests rate dry-run gpu seed json",
    examples: [
      ["Serve 50 requests on this GPU from 24 MiB", "serve-sim --kv-budget 24MiB --requests 50"],
      [
        "Simulate OPT-13B on an A100 at two requests a second",
        "serve-sim --dry-run --model opt-13b --kv-budget 12GB --rate 2",
      ],
    ],
  })
    .summary("Serve many requests from one K/V budget, policy by policy")
    .description("Serve many requests from one K/V budget, with one memory policy after another.")
    .action(run);
}

async function run(options: Options): Promise<void> {
  await checkJson(options);
  const result = await withSimulator(options, async (shape) => {
    return servingPlanOf(options, shape, { lengths: await lengthSource(options), dryRun: options.dryRun });
  }, async ({ shape, facts, run }, plan): Promise<ServingResult> => {
    const results = await withRequests(plan.nRequests, (onProgress) => run(plan, onProgress));
    return servingRecord(plan, shape, { ...facts, results });
  }, (plan) => plan);
  await giveResult(result, servingTable, options);
}
