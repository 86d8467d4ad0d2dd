/** `kvbench generate`: text, ids or JSON from a prompt. */
import { Command } from "../options/commander.ts";
import { firstStepOf } from "../../engine/decoder.ts";
import { Continuation } from "../../engine/continuation.ts";
import { generate } from "../../engine/generate.ts";
import { type DecodingOptions, withDecoder } from "../../engine/with_decoder.ts";
import { decodingNeed, groupNeed } from "../../engine/work_need.ts";
import { UsageError } from "../../base/errors.ts";
import { sharingStrategy } from "../../kv/registry.ts";
import { checkContext, checkIds } from "../../checkpoint/config.ts";
import { checkSampling } from "../../model/sampling.ts";
import { addDecodeOptions } from "../options/decode_options.ts";
import { describeHelp } from "../options/help.ts";
import { addOptions } from "../options/option_spec.ts";
import { compileProgress } from "../terminal/compile_progress.ts";
import { type DriverCacheState, driverCacheState, foundInCache } from "../session/driver_cache.ts";
import { type Answer, writeAnswer } from "./generate/answer.ts";
import { type Prompted, sampleMany, searchMany } from "./generate/generate_many.ts";
import { GENERATE_OPTIONS, type GenerateOptions } from "./generate/generate_options.ts";
import { kvOptionsOf } from "../options/kv_options.ts";
import { withProgress } from "../terminal/progress.ts";
import { promptIds } from "../session/prompt.ts";
import { type Session, withSession } from "../session/session.ts";
import { StartTimes } from "./generate/start_times.ts";
import { writeText } from "../terminal/stdout.ts";

/** Kernels of a first step with an unsharded head. */
const FIRST_STEP_KERNELS = 11;

export function generateCommand(): Command {
  const command = addOptions(addDecodeOptions(new Command("generate")), ...GENERATE_OPTIONS);
  return describeHelp(command, {
    everyday: "model max-new-tokens strategy temperature top-k top-p seed stop output timings",
    examples: [
      ["Continue a text with the embedded model", 'generate "Once upon a time"'],
      ["Sample with GPT-2 from the hub", 'generate "The sea" --model gpt2 --top-p 0.9 --seed 7'],
      [
        "Search with four beams, K and V in blocks",
        `generate "The sea" --num-beams 4 --strategy ${sharingStrategy().name}`,
      ],
    ],
  })
    .summary("Continue a prompt")
    .description(
      "Continue a prompt (an argument, stdin, or --prompt-ids) and print the new text as it comes.",
    )
    .action(run);
}

async function run(prompt: string | undefined, options: GenerateOptions): Promise<void> {
  const searches = options.numBeams > 1;
  const several = searches || options.numReturnSequences > 1;
  if (searches) checkBeams(options);
  if (several && options.timings) {
    throw new UsageError(
      "--timings is for one sequence: expected no --num-return-sequences and no --num-beams",
    );
  }
  const sampled = options.topK > 0 || options.topP < 1 || options.seed !== undefined ||
    options.numReturnSequences > 1;
  const sampling = {
    temperature: options.temperature ?? (sampled ? 1 : 0),
    topK: options.topK,
    topP: options.topP,
    seed: options.seed ?? 0,
  };
  checkSampling(sampling);
  const cacheBefore = options.timings ? await driverCacheState() : undefined;
  await withSession(options, async ({ config }, tokenizer) => {
    const given = await promptIds({ prompt, promptIds: options.promptIds }, tokenizer);
    checkIds(given.ids, config.vocabSize);
    checkContext(given.ids.length, options.maxNewTokens, config.nCtx);
    if (!tokenizer && (options.output === "text" || options.stop.length > 0)) {
      throw new UsageError("This model has no tokenizer: expected --output ids or json, and no --stop");
    }
    return given;
  }, async (session, given) => {
    const eos = options.ignoreEos ? undefined : session.model.config.eosTokenId;
    const request = { ids: given.ids, sampling, eos };
    const many: Answer = searches
      ? await searchMany(session, options, request)
      : several
      ? await sampleMany(session, options, request)
      : { sequences: [await streamOne(session, options, request, cacheBefore)] };
    writeAnswer(many, options, { model: session.modelName, prompt: given, sampling });
  }, ({ ids }) => ({
    work: (context) =>
      several || searches
        ? groupNeed(context, {
          ...options,
          promptTokens: ids.length,
          newTokens: options.maxNewTokens,
          nSequences: searches ? options.numBeams : options.numReturnSequences,
        })
        : decodingNeed(context, decodingOf(ids, options, sampling)),
    ...(!several && { firstSteps: firstStepOf(sizesOf(ids, sampling)) }),
  }));
}

/** Refuses options that beam search does not have. */
function checkBeams(options: GenerateOptions): void {
  const { temperature, topK, topP, seed, numReturnSequences, numBeams, stop } = options;
  if (topK > 0 || topP < 1 || seed !== undefined || (temperature ?? 0) > 0) {
    throw new UsageError("--num-beams excludes sampling options: expected one or the other");
  }
  if (stop.length > 0) throw new UsageError("--num-beams excludes --stop: expected one of them");
  if (numReturnSequences > numBeams) {
    throw new UsageError(
      `--num-return-sequences ${numReturnSequences} exceeds --num-beams ${numBeams}: expected at most as many`,
    );
  }
}

/** Sizes of a decoder of one sequence. */
function sizesOf(ids: readonly number[], { temperature }: Prompted["sampling"]) {
  return { nSequences: 1, maxPromptTokens: ids.length, sampled: temperature > 0 };
}

/** Options of decoding one sequence. */
function decodingOf(
  ids: readonly number[],
  options: GenerateOptions,
  sampling: Prompted["sampling"],
): DecodingOptions {
  const { strategy, kvDtype, maxNewTokens } = options;
  return {
    ...sizesOf(ids, sampling),
    strategy,
    kvOptions: kvOptionsOf(options),
    kvDtype,
    maxTokens: ids.length + maxNewTokens,
    firstStepFirst: true,
  };
}

/** Decodes one sequence, and prints its text as it comes. */
async function streamOne(
  session: Session,
  options: GenerateOptions,
  prompted: Prompted,
  cacheBefore: DriverCacheState | undefined,
): Promise<Continuation> {
  const { model, tokenizer, locateMs, remembered } = session;
  const { ids, sampling, eos } = prompted;
  // Text on a terminal is its own progress.
  const streams = options.output === "text" && Deno.stdout.isTerminal();
  const times = new StartTimes(model, { locateMs, remembered });
  return await withProgress(async (bar) => {
    const compiling = compileProgress(FIRST_STEP_KERNELS);
    return await withDecoder(model, decodingOf(ids, options, sampling), async (decoder) => {
      times.ready();
      decoder.runner.recorder.onFirstDispatch = compiling.kernel;
      const sequence = new Continuation(tokenizer, options.stop, ids);
      const show = (text: string) => options.output === "text" ? writeText(text) : undefined;
      const request = { prompts: [ids], maxNewTokens: options.maxNewTokens, sampling: [sampling] };
      for await (const [chunk] of generate(decoder, request)) {
        times.token();
        if (sequence.ids.length === 0) {
          compiling.stop();
          if (!streams) bar.start("Generating", options.maxNewTokens, "tokens");
        }
        for (const id of chunk!) show(sequence.push(id, eos));
        bar.update(sequence.ids.length);
        if (sequence.finishReason !== undefined) break;
      }
      show(sequence.end("length"));
      show("\n");
      if (options.timings) {
        const driver = foundInCache(cacheBefore, await driverCacheState());
        bar.stop();
        console.error(times.say(sequence.ids.length, driver));
      }
      return sequence;
    }).finally(compiling.stop);
  });
}
