/**
 * `kvbench selftest`: every kernel beside its CPU reference and the golden prompts with every strategy, on the adapter
 * in hand, as a table that is fit for a bug report.
 */
import { Command } from "../options/commander.ts";
import { checkGolden, GOLDEN_PROMPTS, goldenNeed } from "../../check/golden.ts";
import { kernelChecks, type Verdict, verdictOf, verdicts } from "../../check/kernel_checks.ts";
import { selfTestRecord } from "../../check/selftest_result.ts";
import { KvbenchError } from "../../base/errors.ts";
import { everyKvDtype } from "../../formats/kv_dtype.ts";
import { WEIGHT_DTYPES } from "../../formats/registry.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { openGpu } from "../../host/gpu.ts";
import { locateModel } from "../../hub/locate.ts";
import { EMBEDDED_NAME } from "../../hub/embedded.ts";
import { machineFacts } from "../../host/machine.ts";
import { strategyNamed, strategyNames } from "../../kv/registry.ts";
import { describeEnvironment } from "../../measure/record/environment.ts";
import type { TensorSource } from "../../checkpoint/checkpoint.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { tuningFor, tuningsOf } from "../../model/tuning.ts";
import { formatJson } from "../../report/json.ts";
import { selfTestTable } from "../../report/selftest_table.ts";
import { addDeviceOptions, type DeviceOptions, gpuOptions } from "../options/device_options.ts";
import { checkMemory } from "../session/memory_check.ts";
import { fetchProgress } from "../terminal/fetch_progress.ts";
import { progressBar, withProgress } from "../terminal/progress.ts";
import { describeHelp } from "../options/help.ts";
import { PRINT_JSON } from "../options/json_output.ts";
import { addOptions, optionList, type Values } from "../options/option_spec.ts";
import { writeLine } from "../terminal/stdout.ts";

const SELFTEST_OPTIONS = optionList({
  flags: "--quick",
  help: "Check one variant of each kernel, and one strategy",
  group: "Command",
  default: false,
}, PRINT_JSON);

type Options = DeviceOptions & Values<typeof SELFTEST_OPTIONS>;

export function selftestCommand(): Command {
  const command = addOptions(addDeviceOptions(new Command("selftest")), ...SELFTEST_OPTIONS);
  return describeHelp(command, {
    everyday: "quick json",
    examples: [
      ["Check every kernel on this adapter", "selftest"],
      ["Check them without an optional feature", "selftest --disable-feature subgroups"],
    ],
  })
    .summary("Check every kernel on this adapter")
    .description(
      "Hold every kernel against its CPU reference on this adapter, and print a table for a bug report.",
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const created = new Date();
  const bar = progressBar();
  const checkpoint = await locateModel(EMBEDDED_NAME, { events: fetchProgress(bar) }).finally(() =>
    bar.stop()
  );
  try {
    const gpu = await openGpu(gpuOptions(options));
    try {
      const all = await check(gpu, checkpoint, options.quick);
      const environment = await describeEnvironment(gpu, tuningFor(gpu.facts), await machineFacts());
      const record = selfTestRecord(created, environment, all);
      writeLine(options.json ? formatJson(record) : selfTestTable(record));
      if (all.some(({ verdict }) => verdict !== "right")) Deno.exitCode = 1;
      gpu.dispose();
    } finally {
      gpu.abandon();
    }
  } finally {
    checkpoint.close();
  }
}

async function check(gpu: Gpu, checkpoint: TensorSource, quick: boolean): Promise<Verdict[]> {
  const every = kernelChecks({
    config: checkpoint.config,
    tunings: tuningsOf(gpu.facts, gpu.device),
    weightsDtypes: WEIGHT_DTYPES,
    kvDtypes: everyKvDtype(),
  });
  const kernels = every.map(({ kernel }) => kernel);
  const checks = quick ? every.filter(({ kernel }, i) => kernels.indexOf(kernel) === i) : every;
  const exact = strategyNames("bench").filter((name) => strategyNamed(name).traits.exact);
  const strategies = quick ? exact.slice(-1) : exact;
  checkMemory(gpu, checkpoint, tuningFor(gpu.facts), {
    work: (context) => goldenNeed(context, strategies),
    say: (line) => console.error(line),
  });
  return await withProgress(async (bar) => {
    bar.start("Checking kernels", checks.length + strategies.length, "checks");
    const all: Verdict[] = [];
    for await (const verdict of verdicts(gpu, checks)) {
      all.push(verdict);
      bar.update(all.length, `Checking ${checks[all.length]?.kernel ?? "golden prompts"}`);
    }
    const golden = await goldenVerdicts(gpu, checkpoint, strategies, (n) => bar.update(all.length + n));
    return [...all, ...golden];
  });
}

/** The whole model, with strategies that are exact. */
async function goldenVerdicts(
  gpu: Gpu,
  checkpoint: TensorSource,
  strategies: readonly string[],
  onProgress: (checked: number) => void,
): Promise<Verdict[]> {
  const kernel = GOLDEN_PROMPTS;
  try {
    const model = await Gpt2.load(gpu, checkpoint);
    try {
      const all: Verdict[] = [];
      for (const variant of strategies) {
        all.push(verdictOf({ kernel, variant }, await checkGolden(model, variant)));
        onProgress(all.length);
      }
      return all;
    } finally {
      model.dispose();
    }
  } catch (error) {
    if (!(error instanceof KvbenchError)) throw error;
    const none = { variant: "", largestError: null, tolerance: null };
    return [{ kernel, ...none, verdict: "failed", detail: error.message }];
  }
}
