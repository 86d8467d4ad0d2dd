/** `kvbench profile`: where the time of a prefill and of a decode step goes, kernel by kernel. */
import { MOST_TOKENS, wholeNumber } from "../options/values.ts";
import { Command } from "../options/commander.ts";
import { sayKind } from "../../report/adapter_kind.ts";
import { machineFacts } from "../../host/machine.ts";
import { describeEnvironment } from "../../measure/record/environment.ts";
import { headOf } from "../../measure/record/record.ts";
import { madeUpPrompt } from "../../measure/run/grid.ts";
import { type Profile, profile, profiledTokens, profileNeed } from "../../measure/profile/profile.ts";
import { parseProfile, PROFILE_KIND, type ProfileResult } from "../../measure/profile/profile_result.ts";
import { checkContext } from "../../checkpoint/config.ts";
import { profileTable } from "../../report/profile_table.ts";
import { traceOf } from "../../report/trace.ts";
import { checkWritable, writeWhole } from "../../report/write.ts";
import { checkFirst } from "../session/checked.ts";
import { addStrategyOptions, type StrategyOption } from "../options/decode_options.ts";
import { describeHelp } from "../options/help.ts";
import { addJsonOption, checkJson, giveResult, type JsonOptions, WIDE } from "../options/json_output.ts";
import { addKvDtypeOptions, addModelOptions, type PrecisionOptions } from "../options/model_options.ts";
import { hashed } from "../session/open_model.ts";
import { type Session, withSession } from "../session/session.ts";
import { addOptions, optionList, type Values } from "../options/option_spec.ts";
import { kvOptionsOf } from "../options/kv_options.ts";
import { withProgress } from "../terminal/progress.ts";

const PROFILE_OPTIONS = optionList({
  flags: "--prompt-tokens <n>",
  help: "Length of a random prompt",
  group: "Prompt",
  parse: wholeNumber(1, MOST_TOKENS),
  default: 128,
}, {
  flags: "--batch <n>",
  help: "Sequences to decode together",
  group: "Workload",
  parse: wholeNumber(1, 1024),
  default: 1,
}, {
  flags: "--new-tokens <n>",
  help: "Decode steps to profile; as many more are timed without a profile",
  group: "Workload",
  parse: wholeNumber(1, MOST_TOKENS),
  default: 16,
}, {
  flags: "--trace <file>",
  help: "Write every dispatch to a trace for Perfetto or chrome://tracing",
  group: "Output",
}, WIDE);

type Options = PrecisionOptions & StrategyOption & JsonOptions & Values<typeof PROFILE_OPTIONS>;

export function profileCommand(): Command {
  const command = addStrategyOptions(addKvDtypeOptions(addModelOptions(new Command("profile"))));
  addOptions(command, ...PROFILE_OPTIONS);
  return describeHelp(addJsonOption(command), {
    everyday: "model strategy prompt-tokens new-tokens weights-dtype kv-dtype json trace",
    examples: [
      ["See which kernels a decode step spends its time in", "profile"],
      ["Keep the profile and a trace of every dispatch", "profile --json profile.json --trace trace.json"],
    ],
  })
    .summary("Time each kernel against what the adapter can do")
    .description(
      "Time each kernel of a prefill and of decode steps on the GPU, against what the adapter can do.",
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const { trace } = options;
  await checkJson(options);
  if (trace !== undefined) await checkWritable(trace);
  await withSession(options, async (checkpoint) => {
    const { config } = checkpoint;
    const { promptTokens: length, newTokens: steps } = options;
    const prompts = Array.from(
      { length: options.batch },
      (_, sequence) => madeUpPrompt(length, config.vocabSize, sequence),
    );
    checkContext(length, profiledTokens({ prompts, steps }) - length, config.nCtx);
    return { prompts, weights: await hashed(checkpoint) };
  }, async (session, { prompts, weights }) => {
    const { strategy, kvDtype, newTokens: steps } = options, kvOptions = kvOptionsOf(options);
    await checkFirst(session.model, { weights, strategies: [strategy], kvDtypes: [kvDtype] });
    const created = new Date().toISOString();
    const measured = await withProgress(async (bar) => {
      bar.start("Profiling", steps + 1, "rounds");
      const onProgress = (rounds: number) => bar.update(rounds);
      return await profile(session.model, { strategy, kvOptions, kvDtype, prompts, steps, onProgress });
    });
    const result = await resultOf(session, options, { created, measured });
    await giveResult(result, (each) => profileText(each, options), options);
    if (trace !== undefined) {
      await writeWhole(trace, JSON.stringify(traceOf(measured, `${result.model}, ${strategy}`)));
    }
  }, ({ prompts }) => ({
    work: (context) => {
      const { strategy, kvDtype, newTokens: steps } = options, kvOptions = kvOptionsOf(options);
      return profileNeed(context, { strategy, kvOptions, kvDtype, prompts, steps });
    },
    tunes: true,
  }));
}

function profileText(result: ProfileResult, options: Options): string {
  const { model, environment: { adapter }, weights_dtype, kv_dtype } = result;
  return `kvbench: ${model} on ${adapter.description} (${sayKind(adapter, "hardware")}), weights ` +
    `${weights_dtype}, K/V ${kv_dtype}\n\n${profileTable(result, options)}`;
}

async function resultOf(
  { gpu, model, modelName }: Session,
  { strategy, kvDtype, promptTokens, batch, newTokens: steps }: Options,
  { created, measured }: { readonly created: string; readonly measured: Profile },
): Promise<ProfileResult> {
  const { roof, kernels, prefillKernels, account } = measured;
  // The first profiled step follows the prefill and a step that is not profiled; the token it computes counts.
  const first = promptTokens + 2, last = promptTokens + 2 * steps;
  const result: ProfileResult = {
    ...headOf(PROFILE_KIND),
    created,
    command: [...Deno.args],
    environment: await describeEnvironment(gpu, model.tuning, await machineFacts()),
    model: modelName,
    weights_dtype: model.weightsDtype,
    kv_dtype: kvDtype,
    strategy,
    prompt_tokens: promptTokens,
    ...(batch > 1 && { batch }),
    steps,
    what: `a decode step of ${batch > 1 ? `${batch} sequences with ` : ""}${strategy} at context ${first}${
      last > first ? ` to ${last}` : ""
    }`,
    peaks: { gb_per_s: roof.bytesPerSecond / 1e9, gmacs_per_s: roof.macsPerSecond / 1e9 },
    kernels: [...kernels],
    prefill_kernels: [...prefillKernels],
    step: {
      wall_ms: account.wallMs,
      encode_ms: account.encodeMs,
      submit_ms: account.submitMs,
      pass_ms: account.passMs,
      kernels_ms: account.kernelsMs,
    },
  };
  return parseProfile(result, "the profile of this run");
}
