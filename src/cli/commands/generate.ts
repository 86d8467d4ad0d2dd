/**
 * `kvbench generate`: text, ids or JSON from a prompt.
 *
 * @module
 */
import { decimal, MOST_TOKENS, positive, repeated, wholeNumber } from "../options/values.ts";
import { Command } from "../options/commander.ts";
import { EARLY_STOPPING, type EarlyStopping } from "../../engine/beams.ts";
import { firstStepOf } from "../../engine/decoder.ts";
import { Continuation } from "../../engine/continuation.ts";
import { generate } from "../../engine/generate.ts";
import type { KvFootprint } from "../../engine/kv_footprint.ts";
import { type DecodingOptions, withDecoder } from "../../engine/with_decoder.ts";
import { decodingNeed, groupNeed } from "../../engine/work_need.ts";
import { UsageError } from "../../base/errors.ts";
import { sharingStrategy } from "../../kv/registry.ts";
import { checkContext, checkIds } from "../../checkpoint/config.ts";
import { checkSampling, MOST_TEMPERATURE } from "../../model/sampling.ts";
import { addDecodeOptions, type DecodeOptions } from "../options/decode_options.ts";
import { formatBytes, formatPercent } from "../../report/units.ts";
import { describeHelp } from "../options/help.ts";
import { addOptions, inGroup, type OptionSpec } from "../options/option_spec.ts";
import { compileProgress } from "../terminal/compile_progress.ts";
import { type DriverCacheState, driverCacheState, sayDriverCache } from "./generate/driver_cache.ts";
import { type Many, type Prompted, sampleMany, searchMany } from "./generate/generate_many.ts";
import { kvOptionsOf } from "../options/kv_options.ts";
import { withProgress } from "../terminal/progress.ts";
import { promptIds, type Session, withSession } from "../session/session.ts";
import { NUM_RETURN_SEQUENCES } from "../options/serving_options.ts";
import { StartTimes } from "./generate/start_times.ts";
import { writeLine, writeText } from "../terminal/stdout.ts";

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

const GENERATE_OPTIONS: readonly OptionSpec[] = [
  {
    flags: "--max-new-tokens <n>",
    help: "Most tokens to generate",
    group: "Workload",
    parse: wholeNumber(1, MOST_TOKENS),
    default: 50,
  },
  ...inGroup(
    "Sampling",
    {
      flags: "--temperature <t>",
      help: "Divisor of logits; 0 takes the likeliest token",
      parse: decimal(0, MOST_TEMPERATURE),
      defaultText: "1 with --top-k, --top-p, --seed or several sequences, else 0",
    },
    {
      flags: "--top-k <k>",
      help: "Sample among the k likeliest tokens; 0 means all",
      parse: wholeNumber(0, 2 ** 31),
      default: 0,
    },
    {
      flags: "--top-p <p>",
      help: "Sample among the fewest tokens whose probabilities sum to p",
      parse: positive(1),
      default: 1,
    },
    {
      flags: "--seed <n>",
      help: "Seed of the random numbers",
      parse: wholeNumber(0, 2 ** 32 - 1),
      defaultText: "0",
    },
    { ...NUM_RETURN_SEQUENCES, help: "Continuations of the prompt; seeds count up" },
  ),
  ...inGroup(
    "Beam search",
    {
      flags: "--num-beams <n>",
      help: "Beams of a beam search; 1 means none",
      parse: wholeNumber(1, 64),
      default: 1,
    },
    {
      flags: "--length-penalty <x>",
      help: "Exponent of the length in a beam's score; above 0 favours longer texts",
      parse: decimal(-10, 10),
      default: 1,
    },
    {
      flags: "--early-stopping <when>",
      help:
        "End of the search, once enough beams are finished: at once, when no open beam would be better if " +
        "it ended now, or when none can become better",
      choices: EARLY_STOPPING,
      default: "false",
    },
  ),
  {
    flags: "--stop <text>",
    help: "Text to end before (repeatable)",
    group: "Workload",
    parse: repeated,
    default: [],
  },
  {
    flags: "--timings",
    help: "Print the parts of the time to the first token on stderr",
    group: "Output",
    default: false,
  },
  { flags: "--ignore-eos", help: "Go on after the end-of-text token", group: "Workload", default: false },
  {
    flags: "--output <form>",
    help: "Printed form",
    group: "Output",
    choices: ["text", "ids", "json"],
    default: "text",
  },
];

/** Declares the subcommand. */
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

async function run(prompt: string | undefined, options: Options): Promise<void> {
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
function checkBeams(options: Options): void {
  const { temperature, topK, topP, seed, numReturnSequences, numBeams, stop } = options;
  if (topK > 0 || topP < 1 || seed !== undefined || (temperature ?? 0) > 0) {
    throw new UsageError("--num-beams excludes options of sampling: expected one of them");
  }
  if (stop.length > 0) throw new UsageError("--num-beams excludes --stop: expected one of them");
  if (numReturnSequences > numBeams) {
    throw new UsageError(
      `--num-return-sequences ${numReturnSequences} exceeds --num-beams ${numBeams}: expected at most as many`,
    );
  }
}

/** Formats the memory that sequences share. */
function sayFootprint({ heldBytes, unsharedBytes, copiedBytes }: KvFootprint): string {
  const saved = unsharedBytes > heldBytes
    ? `, ${formatBytes(unsharedBytes)} without sharing (${
      formatPercent(unsharedBytes - heldBytes, unsharedBytes)
    } saved)`
    : ", nothing shared";
  return `K/V: at most ${formatBytes(heldBytes)} held${saved}, ${formatBytes(copiedBytes)} copied`;
}

/** Sizes of a decoder of one sequence. */
function sizesOf(ids: readonly number[], { temperature }: Prompted["sampling"]) {
  return { nSequences: 1, maxPromptTokens: ids.length, sampled: temperature > 0 };
}

/** Options of decoding one sequence. */
function decodingOf(
  ids: readonly number[],
  options: Options,
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
  options: Options,
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
        const driver = sayDriverCache(cacheBefore, await driverCacheState());
        bar.stop();
        console.error(times.say(sequence.ids.length, driver));
      }
      return sequence;
    }).finally(compiling.stop);
  });
}
