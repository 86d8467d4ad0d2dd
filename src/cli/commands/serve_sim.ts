/**
 * `kvbench serve-sim`: many requests against a K/V budget, with one policy after another; prints a table and writes a
 * JSON result.
 */
import { Command } from "../options/commander.ts";
import { servingRecord, type ServingResult } from "../../simulate/serving_result.ts";
import { servingTable } from "../../report/serving_table.ts";
import { describeHelp } from "../options/help.ts";
import { addJsonOption, checkJson, giveResult, type JsonOptions } from "../options/json_output.ts";
import { sharingStrategy } from "../../kv/registry.ts";
import { readJson } from "../../hub/model_files.ts";
import { parseQuality } from "../../measure/quality/quality_result.ts";
import type { ScoredCell } from "../../measure/quality/scored_cell.ts";
import { qualityPaid } from "../../simulate/quality_paid.ts";
import { addOptions, optionList, type Values } from "../options/option_spec.ts";
import { KV_DTYPES } from "../../formats/registry.ts";
import { kvDtypeList } from "../options/values.ts";
import { addKvDtypeOptions, addModelOptions } from "../options/model_options.ts";
import { withRequests } from "../terminal/request_progress.ts";
import {
  addServingOptions,
  lengthSource,
  type ServingOptions,
  servingPlanOf,
} from "../options/serving_options.ts";
import { addDryRunOptions, type SimulatorOptions, withSimulator } from "./serve_sim/serving_runner.ts";

/** Options that compare what serving with less costs and buys. */
const LESS = optionList(
  {
    flags: "--kv-dtypes <types>",
    help: `Storage types of K and V to compare in the same memory, from ${KV_DTYPES.join(", ")}, or K's/V's`,
    group: "K/V memory",
    parse: kvDtypeList,
    defaultText: "that of --kv-dtype",
  },
  {
    flags: "--quality <file>",
    help: "Record of kvbench quality, whose figures are shown beside the policies",
    group: "Comparison",
  },
);

type Options = SimulatorOptions & ServingOptions & JsonOptions & Values<typeof LESS>;

export function serveSimCommand(): Command {
  const command = addDryRunOptions(addKvDtypeOptions(addModelOptions(new Command("serve-sim"))));
  return describeHelp(addJsonOption(addOptions(addServingOptions(command), ...LESS)), {
    everyday: "model policies kv-budget lengths requests rate dry-run gpu seed json",
    examples: [
      ["Serve 50 requests on this GPU from 24 MiB", "serve-sim --kv-budget 24MiB --requests 50"],
      [
        "See how many sequences narrower K and V make room for",
        `serve-sim --kv-budget 8MiB --policies ${sharingStrategy().name} --kv-dtypes f32,f16,int8`,
      ],
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
  const { kvDtypes = [options.kvDtype], quality } = options;
  const scored = quality === undefined ? undefined : parseQuality(await readJson(quality), quality).cells;
  let result: ServingResult | undefined;
  for (const kvDtype of kvDtypes) {
    const budget = result === undefined ? {} : { kvBudget: result.limits.kv_budget_bytes };
    const more = await serve({ ...options, ...budget, kvDtype }, scored);
    result = result === undefined ? more : { ...result, results: [...result.results, ...more.results] };
  }
  await giveResult(result!, servingTable, options);
}

/** Serves the requests with one type of K and V. */
async function serve(options: Options, scored: readonly ScoredCell[] | undefined): Promise<ServingResult> {
  const { kvDtype } = options;
  return await withSimulator(options, async (shape) => {
    return servingPlanOf(options, shape, { lengths: await lengthSource(options), dryRun: options.dryRun });
  }, async ({ shape, facts, run }, plan) => {
    const entries = await withRequests(plan.nRequests, (onProgress) => run(plan, onProgress));
    const results = entries.map((entry) => {
      const served = { policy: entry.policy, kvOptions: plan.kvOptions, kvDtype };
      return {
        ...entry,
        kv_dtype: kvDtype,
        quality: scored === undefined ? null : qualityPaid(scored, served),
      };
    });
    return servingRecord(plan, shape, { ...facts, results });
  }, (plan) => plan);
}
