/**
 * `kvbench generate`: text, ids or JSON from a prompt.
 *
 * @module
 */
import { Command, Option } from "npm:commander@15.1.0";
import { EARLY_STOPPING, type EarlyStopping } from "../engine/beams.ts";
import { firstStepOf } from "../engine/decoder.ts";
import { Continuation } from "../engine/continuation.ts";
import { generate } from "../engine/generate.ts";
import type { KvFootprint } from "../engine/kv_footprint.ts";
import { withDecoder } from "../engine/with_decoder.ts";
import { UsageError } from "../errors.ts";
import { checkContext, checkIds } from "../model/config.ts";
import { checkSampling } from "../model/sampling.ts";
import { addDecodeOptions, type DecodeOptions } from "./decode_options.ts";
import { formatBytes, formatPercent } from "../report/units.ts";
import { compileProgress } from "./compile_progress.ts";
import { type DriverCacheState, driverCacheState, sayDriverCache } from "./driver_cache.ts";
import { type Many, type Prompted, sampleMany, searchMany } from "./generate_many.ts";
import { promptIds, type Session, withSession } from "./session.ts";
import { StartTimes } from "./start_times.ts";
import { writeLine, writeText } from "./stdout.ts";
import { decimal, repeated, wholeNumber } from "./values.ts";

interface Options extends DecodeOptions {
  readonly maxNewTokens: number;
  readonly temperature?: number;
  readonly topK: number;
  readonly topP: number;
  readonly seed?: number;
  readonly numReturnSequences: number;
  readonly numBeams: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: EarlyStopping;
  readonly stop: string[];
  readonly timings: boolean;
  readonly ignoreEos: boolean;
  readonly output: "text" | "ids" | "json";
}

/** Kernels of a first step with an unsharded head. */
const FIRST_STEP_KERNELS = 11;

/** Declares the subcommand. */
export function generateCommand(): Command {
  return addDecodeOptions(new Command("generate"))
    .description("Continue a prompt (an argument, stdin, or --prompt-ids) and print the new text as it comes")
    .option("--max-new-tokens <n>", "tokens to generate at most", wholeNumber(1), 50)
    .option(
      "--temperature <t>",
      "0 takes the likeliest token (default: 1 if --top-k, --top-p, --seed or more than one sequence is asked for, else 0)",
      decimal,
    )
    .option("--top-k <k>", "sample among the k likeliest tokens, 0 for all", wholeNumber(0), 0)
    .option("--top-p <p>", "sample among the likeliest tokens that have probability p together", decimal, 1)
    .option("--seed <n>", "of the random numbers (default: 0)", wholeNumber(0, 2 ** 32 - 1))
    .option(
      "--num-return-sequences <n>",
      "continuations of the prompt, seeds counting up",
      wholeNumber(1, 256),
      1,
    )
    .option("--num-beams <n>", "search for the likeliest text with so many beams", wholeNumber(1, 64), 1)
    .option(
      "--length-penalty <x>",
      "of beams: above 0 longer texts gain, below 0 shorter ones",
      decimal,
      1,
    )
    .addOption(
      new Option(
        "--early-stopping <when>",
        "of beams: as soon as there are enough, or when no better can come",
      )
        .choices(EARLY_STOPPING).default("false"),
    )
    .option("--stop <text>", "end before this text; may be given several times", repeated, [])
    .option("--timings", "say where the time until the first token went, on stderr", false)
    .option("--ignore-eos", "go on after the end-of-text token", false)
    .addOption(
      new Option("--output <form>", "what to print").choices(["text", "ids", "json"]).default("text"),
    )
    .action(run);
}

async function run(prompt: string | undefined, options: Options): Promise<void> {
  const searches = options.numBeams > 1;
  const several = searches || options.numReturnSequences > 1;
  if (searches) checkBeams(options);
  if (several && options.timings) {
    throw new UsageError("Timings are of one sequence: wanted no --num-return-sequences and --num-beams");
  }
  if (several && options.strategy === "kv-cache" && options.growth === "dynamic") {
    throw new UsageError(
      "Several sequences share one K/V memory, which does not grow: wanted --growth static",
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
      throw new UsageError("This model has no tokenizer: wanted --output ids or json, and no --stop");
    }
    return given;
  }, async (session, given) => {
    const eos = options.ignoreEos ? undefined : session.model.config.eosTokenId;
    const request = { ids: given.ids, sampling, eos };
    const many: Partial<Many> & Pick<Many, "sequences"> = searches
      ? await searchMany(session, options, request)
      : several
      ? await sampleMany(session, options, request)
      : { sequences: [await streamOne(session, options, request, cacheBefore)] };
    const { sequences, scores, footprint } = many;
    if (footprint) console.error(sayFootprint(footprint));
    if (options.output === "ids") {
      for (const { ids } of sequences) writeLine(ids.join(","));
    } else if (options.output === "text" && several) {
      sequences.forEach(({ text }, i) => {
        const score = scores ? `, score ${scores[i]!.toFixed(4)}` : "";
        writeText(`--- ${i + 1} of ${sequences.length}${score} ---\n${text}\n`);
      });
    } else if (options.output === "json") {
      writeLine(JSON.stringify(
        {
          model: session.modelName,
          strategy: options.strategy,
          prompt: given.text,
          prompt_ids: given.ids,
          ...(searches
            ? {
              beams: {
                num_beams: options.numBeams,
                length_penalty: options.lengthPenalty,
                early_stopping: options.earlyStopping,
              },
            }
            : {
              sampling: {
                temperature: sampling.temperature,
                top_k: sampling.topK,
                top_p: sampling.topP,
                seed: sampling.seed,
              },
            }),
          sequences: sequences.map(({ ids, text, finishReason }, i) => ({
            ids,
            text,
            finish_reason: finishReason,
            ...(scores && { score: scores[i] }),
          })),
          ...(footprint && {
            kv_bytes: {
              held: footprint.heldBytes,
              without_sharing: footprint.unsharedBytes,
              copied: footprint.copiedBytes,
            },
          }),
        },
        null,
        2,
      ));
    }
  }, ({ ids }) => several ? {} : { firstSteps: firstStepOf(sizesOf(ids, sampling)) });
}

/** Refuses what a search of beams doesn't have. */
function checkBeams(options: Options): void {
  const { temperature, topK, topP, seed, numReturnSequences, numBeams, stop } = options;
  if (topK > 0 || topP < 1 || seed !== undefined || (temperature ?? 0) > 0) {
    throw new UsageError("Beams are searched for and not sampled: wanted --num-beams or options of sampling");
  }
  if (stop.length > 0) throw new UsageError("Beams do not end at texts: wanted --num-beams or --stop");
  if (numReturnSequences > numBeams) {
    throw new UsageError(
      `${numReturnSequences} sequences are wanted of ${numBeams} beams: wanted at least as many --num-beams`,
    );
  }
}

/** How much the sequences share. */
function sayFootprint({ heldBytes, unsharedBytes, copiedBytes }: KvFootprint): string {
  const saved = unsharedBytes > heldBytes
    ? `, ${formatBytes(unsharedBytes)} without sharing (${
      formatPercent(unsharedBytes - heldBytes, unsharedBytes)
    } saved)`
    : ", nothing shared";
  return `K/V: at most ${formatBytes(heldBytes)} held${saved}, ${formatBytes(copiedBytes)} copied`;
}

/** What a decoder of one sequence is sized for. */
function sizesOf(ids: readonly number[], { temperature }: Prompted["sampling"]) {
  return { nSequences: 1, maxPromptTokens: ids.length, sampled: temperature > 0 };
}

/** Decodes one sequence, and shows its text as it comes. */
async function streamOne(
  { model, tokenizer, locateMs, remembered }: Session,
  options: Options,
  { ids, sampling, eos }: Prompted,
  cacheBefore: DriverCacheState | undefined,
): Promise<Continuation> {
  const maxTokens = ids.length + options.maxNewTokens;
  const { strategy, kvDtype, blockSize, growth } = options;
  const decoding = {
    ...sizesOf(ids, sampling),
    strategy,
    kvDtype,
    blockSize,
    growth,
    maxTokens,
    capacityTokens: maxTokens,
    firstStepFirst: true,
  };
  const times = new StartTimes(model, { locateMs, remembered });
  const compiling = compileProgress(FIRST_STEP_KERNELS);
  return await withDecoder(model, decoding, async (decoder) => {
    times.ready();
    decoder.watchFirstDispatches(compiling.kernel);
    const sequence = new Continuation(tokenizer, options.stop);
    const show = (text: string) => options.output === "text" ? writeText(text) : undefined;
    const request = { prompts: [ids], maxNewTokens: options.maxNewTokens, sampling: [sampling] };
    for await (const [chunk] of generate(decoder, request)) {
      times.token();
      compiling.stop();
      for (const id of chunk!) show(sequence.push(id, eos));
      if (sequence.finishReason !== undefined) break;
    }
    show(sequence.end("length"));
    show("\n");
    if (options.timings) {
      const driver = sayDriverCache(cacheBefore, await driverCacheState());
      console.error(times.say(sequence.ids.length, driver));
    }
    return sequence;
  }).finally(compiling.stop);
}
