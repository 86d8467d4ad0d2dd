/**
 * `kvbench paper`: the views of the PagedAttention paper, from one's own runs beside the paper's figures.
 */
import { Command } from "../options/commander.ts";
import {
  PAPER_KIND,
  type PaperResult,
  parsePaper,
  VIEW_NAMES,
  type ViewName,
} from "../../simulate/paper/paper_result.ts";
import { headOf } from "../../measure/record/record.ts";
import { compared, viewOf, type ViewSource } from "../../simulate/paper/views.ts";
import type { ServingPlan } from "../../simulate/plan.ts";
import { type RunFacts, servingSetup } from "../../simulate/serving_result.ts";
import { paperTable } from "../../report/paper_table.ts";
import { describeHelp } from "../options/help.ts";
import { addJsonOption, checkJson, giveResult, type JsonOptions } from "../options/json_output.ts";
import { addMemoryOptions, type MemoryOptions } from "../options/memory_options.ts";
import { addKvDtypeOptions, addModelOptions } from "../options/model_options.ts";
import { addOptions, optionList, type Values } from "../options/option_spec.ts";
import { withProgress } from "../terminal/progress.ts";
import { withRequests } from "../terminal/request_progress.ts";
import { addDryRunOptions, type SimulatorOptions, withSimulator } from "./serve_sim/serving_runner.ts";
import { servingPlanOf, WORKLOAD_SEED } from "../options/serving_options.ts";
import { nameList, wholeNumber } from "../options/values.ts";

/** Requests of each run where none are given: on a software adapter, more would take long. */
const REQUESTS = { dry: 5000, gpu: 40 };

/** Settings that views choose themselves. */
const VARIED = {
  policies: [],
  lengths: "sharegpt",
  numReturnSequences: 1,
  prefixTokens: 0,
  prefixGroups: 1,
  verify: false,
};

const PAPER_OPTIONS = optionList({
  flags: "--views <names>",
  help: `Views to repeat, from ${VIEW_NAMES.join(", ")}`,
  group: "Workload",
  parse: nameList(VIEW_NAMES),
  default: [...VIEW_NAMES],
  defaultText: "all",
}, {
  flags: "--requests <n>",
  help: "Requests of each run",
  group: "Workload",
  parse: wholeNumber(1, 1e8),
  defaultText: `${REQUESTS.gpu}; ${REQUESTS.dry} in a dry run`,
}, { ...WORKLOAD_SEED, help: "Seed of lengths and prompts" });

type Options = SimulatorOptions & MemoryOptions & JsonOptions & Values<typeof PAPER_OPTIONS>;

export function paperCommand(): Command {
  const command = addOptions(new Command("paper"), ...PAPER_OPTIONS);
  addMemoryOptions(addDryRunOptions(addKvDtypeOptions(addModelOptions(command))), { dryRuns: true });
  return describeHelp(addJsonOption(command), {
    everyday: "views requests dry-run gpu model kv-budget kv-dtype seed json",
    examples: [
      ["Simulate all views for OPT-13B, as in the paper", "paper --dry-run --model opt-13b --kv-budget 12GB"],
      ["Run two views on the GPU and keep the result", "paper --views waste,sharing --json paper.json"],
    ],
  })
    .summary("Repeat the PagedAttention paper's comparisons")
    .description("Repeat the PagedAttention paper's comparisons, and show its figures beside one's own.")
    .action(run);
}

async function run(options: Options): Promise<void> {
  await checkJson(options);
  const requests = options.requests ?? (options.dryRun ? REQUESTS.dry : REQUESTS.gpu);
  const result = await withSimulator(options, (shape) => {
    const lengths = { dataSet: "sharegpt" } as const;
    return Promise.resolve(
      servingPlanOf({ ...options, ...VARIED, requests }, shape, { lengths, dryRun: options.dryRun }),
    );
  }, async ({ shape, facts, run, measured }, plan) => {
    const shown = (plan: ServingPlan) => withRequests(plan.nRequests, (onProgress) => run(plan, onProgress));
    return await paperResult(options.views, { plan, shape, run: shown, measured }, facts);
  }, (plan) => ({ ...plan, policies: compared() }));
  await giveResult(result, paperTable, options);
}

async function paperResult(
  names: readonly ViewName[],
  source: ViewSource,
  facts: RunFacts,
): Promise<PaperResult> {
  const views: PaperResult["views"] = [];
  await withProgress(async (bar) => {
    bar.start("Views", names.length, "views");
    for (const [i, name] of names.entries()) {
      bar.update(i, `View ${name}`);
      views.push(await viewOf(name, source));
    }
  });
  const record = { ...headOf(PAPER_KIND), ...servingSetup(source.plan, source.shape, facts), views };
  return parsePaper(record, "the result of this run");
}
