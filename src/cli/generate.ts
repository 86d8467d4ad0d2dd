/**
 * `kvbench generate`: text, ids or JSON from a prompt.
 *
 * @module
 */
import { Command, Option } from "npm:commander@15.1.0";
import { Continuation } from "../engine/continuation.ts";
import { generate } from "../engine/generate.ts";
import { withDecoder } from "../engine/with_decoder.ts";
import { UsageError } from "../errors.ts";
import { checkContext, checkIds } from "../model/config.ts";
import { checkSampling } from "../model/sampling.ts";
import { addDecodeOptions, type DecodeOptions } from "./decode_options.ts";
import { promptIds, type Session, withSession } from "./session.ts";
import { decimal, repeated, wholeNumber } from "./values.ts";

interface Options extends DecodeOptions {
  readonly maxNewTokens: number;
  readonly temperature?: number;
  readonly topK: number;
  readonly topP: number;
  readonly seed?: number;
  readonly numReturnSequences: number;
  readonly stop: string[];
  readonly ignoreEos: boolean;
  readonly output: "text" | "ids" | "json";
}

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
    .option("--stop <text>", "end before this text; may be given several times", repeated, [])
    .option("--ignore-eos", "go on after the end-of-text token", false)
    .addOption(
      new Option("--output <form>", "what to print").choices(["text", "ids", "json"]).default("text"),
    )
    .action(run);
}

async function run(prompt: string | undefined, options: Options): Promise<void> {
  const sampled = options.topK > 0 || options.topP < 1 || options.seed !== undefined ||
    options.numReturnSequences > 1;
  const sampling = {
    temperature: options.temperature ?? (sampled ? 1 : 0),
    topK: options.topK,
    topP: options.topP,
    seed: options.seed ?? 0,
  };
  checkSampling(sampling);
  await withSession(options, async ({ config }, tokenizer) => {
    const given = await promptIds({ prompt, promptIds: options.promptIds }, tokenizer);
    checkIds(given.ids, config.vocabSize);
    checkContext(given.ids.length, options.maxNewTokens, config.nCtx);
    if (!tokenizer && (options.output === "text" || options.stop.length > 0)) {
      throw new UsageError("This model has no tokenizer: wanted --output ids or json, and no --stop");
    }
    return given;
  }, async (session, given) => {
    const sequences = await decode(session, options, given.ids, sampling);
    if (options.output === "ids") {
      for (const { ids } of sequences) console.log(ids.join(","));
    } else if (options.output === "json") {
      console.log(JSON.stringify(
        {
          model: session.modelName,
          strategy: options.strategy,
          prompt: given.text,
          prompt_ids: given.ids,
          sampling: {
            temperature: sampling.temperature,
            top_k: sampling.topK,
            top_p: sampling.topP,
            seed: sampling.seed,
          },
          sequences: sequences.map(({ ids, text, finishReason }) => ({
            ids,
            text,
            finish_reason: finishReason,
          })),
        },
        null,
        2,
      ));
    }
  });
}

async function decode(
  { model, tokenizer }: Session,
  options: Options,
  ids: readonly number[],
  sampling: { temperature: number; topK: number; topP: number; seed: number },
): Promise<Continuation[]> {
  const nSequences = options.numReturnSequences;
  const maxTokens = ids.length + options.maxNewTokens;
  const { strategy, blockSize, growth } = options;
  const decoding = {
    strategy,
    blockSize,
    growth,
    nSequences,
    maxPromptTokens: ids.length,
    maxTokens,
    capacityTokens: maxTokens,
  };
  return await withDecoder(model, decoding, async (decoder) => {
    const sequences = Array.from({ length: nSequences }, () => new Continuation(tokenizer, options.stop));
    const streams = options.output === "text" && nSequences === 1;
    const show = (text: string) => streams ? write(text) : undefined;
    const request = {
      prompts: sequences.map(() => ids),
      maxNewTokens: options.maxNewTokens,
      sampling: sequences.map((_, i) => ({ ...sampling, seed: (sampling.seed + i) % 2 ** 32 })),
    };
    const eos = options.ignoreEos ? undefined : model.config.eosTokenId;
    for await (const chunk of generate(decoder, request)) {
      sequences.forEach((sequence, s) => {
        for (const id of chunk[s]!) show(sequence.push(id, eos));
      });
      if (sequences.every(({ finishReason }) => finishReason !== undefined)) break;
    }
    for (const sequence of sequences) show(sequence.end("length"));
    if (streams) write("\n");
    else if (options.output === "text") {
      sequences.forEach(({ text }, i) => write(`--- ${i + 1} of ${nSequences} ---\n${text}\n`));
    }
    return sequences;
  });
}

const encoder = new TextEncoder();

function write(text: string): void {
  for (let bytes = encoder.encode(text); bytes.length > 0;) {
    bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
  }
}
