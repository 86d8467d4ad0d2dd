/**
 * `kvbench logits`: raw logits of a prompt, so that anyone can hold the model against another implementation.
 */
import { Command } from "../options/commander.ts";
import { allLogits, logitDecoding } from "../../engine/all_logits.ts";
import { type DecodingOptions, withDecoder } from "../../engine/with_decoder.ts";
import { decodingNeed, type NeedContext, withOther, type WorkNeed } from "../../engine/work_need.ts";
import { UsageError } from "../../base/errors.ts";
import { checkIds } from "../../checkpoint/config.ts";
import type { Gpt2 } from "../../model/gpt2.ts";
import { strategyNamed } from "../../kv/registry.ts";
import { writeWhole } from "../../report/write.ts";
import { addDecodeOptions, type DecodeOptions } from "../options/decode_options.ts";
import { describeHelp } from "../options/help.ts";
import { addOptions, optionList, type Values } from "../options/option_spec.ts";
import { kvOptionsOf } from "../options/kv_options.ts";
import { withProgress } from "../terminal/progress.ts";
import { promptIds } from "../session/prompt.ts";
import { withSession } from "../session/session.ts";

const LOGITS_OPTIONS = optionList({
  flags: "-o, --out <file>",
  help: "File to write (required)",
  group: "Output",
  required: true,
}, {
  flags: "--all",
  help: "Write a row for every position in place of the last alone",
  group: "Output",
  default: false,
}, {
  flags: "--kept <file>",
  help: "Write the positions that each layer and head keeps, as JSON, where heads keep different ones",
  group: "Output",
});

type Options = DecodeOptions & Values<typeof LOGITS_OPTIONS>;

export function logitsCommand(): Command {
  const command = addOptions(addDecodeOptions(new Command("logits")), ...LOGITS_OPTIONS);
  return describeHelp(command, {
    everyday: "out all prompt-ids model weights-dtype kv-dtype strategy",
    examples: [
      ["Write the logits after a prompt", 'logits "Once upon a time" -o logits.f32'],
      [
        "Write those after each of its tokens, with K and V in int8",
        'logits "The sea" --all --kv-dtype int8 -o l.f32',
      ],
    ],
  })
    .summary("Write raw logits, to compare with another implementation")
    .description(
      "Write the logits of a prompt as raw little-endian float32, one row of the vocabulary per position.",
    )
    .action(run);
}

async function run(prompt: string | undefined, options: Options): Promise<void> {
  await withSession(options, async ({ config }, tokenizer) => {
    const { ids } = await promptIds({ prompt, promptIds: options.promptIds }, tokenizer);
    checkIds(ids, config.vocabSize);
    if (ids.length > config.nCtx) {
      throw new UsageError(
        `The prompt has ${ids.length} tokens: the model's context is ${config.nCtx} tokens, the positions that it has learned`,
      );
    }
    return ids;
  }, async ({ model }, ids) => {
    const { rows, kept } = await computeLogits(model, ids, options);
    const { vocabSize } = model.config;
    const values = new Float32Array(rows.length * vocabSize);
    rows.forEach((row, i) => values.set(row, i * vocabSize));
    await writeWhole(options.out, new Uint8Array(values.buffer));
    if (options.kept !== undefined) await writeWhole(options.kept, `${JSON.stringify(kept)}\n`);
    console.error(`Wrote ${rows.length} × ${vocabSize} logits (little-endian float32) to ${options.out}`);
  }, (ids) => ({ work: (context) => logitsNeed(context, ids.length, options) }));
}

async function computeLogits(model: Gpt2, ids: readonly number[], options: Options) {
  const { all } = options, decoding = decodingOf(ids.length, options);
  return await withDecoder(model, decoding, async (decoder) => {
    const rows: Float32Array[] = [], { around } = decoder.runner;
    if (options.kept !== undefined && around?.kept === undefined) {
      throw new UsageError(
        `Strategy ${options.strategy} keeps the same tokens for every head: expected --kept with another one`,
      );
    }
    if (all) {
      await withProgress(async (bar) => {
        bar.start("Computing logits", ids.length, "positions");
        for await (const row of allLogits(decoder, ids, decoding.maxOutputs)) bar.update(rows.push(row));
      });
    } else {
      decoder.begin([ids]);
      rows.push(...await decoder.logits());
    }
    return { rows, kept: await around?.kept?.(0) };
  });
}

function decodingOf(length: number, options: Options): DecodingOptions {
  const { strategy, kvDtype, all } = options, kvOptions = kvOptionsOf(options);
  return {
    ...logitDecoding(kvDtype, length, length),
    ...{ strategy, kvOptions },
    // A strategy that chooses tokens of whole prompts computes them in one step.
    ...(!all ? { maxOutputs: 1 } : strategyNamed(strategy).traits.together ? { maxOutputs: length } : {}),
  };
}

/** All rows are on the host twice: as they were read, and as they are written. */
function logitsNeed(context: NeedContext, length: number, options: Options): WorkNeed {
  const rows = options.all ? length : 1;
  return withOther(decodingNeed(context, decodingOf(length, options)), {
    host: 2 * rows * context.config.vocabSize * 4,
  });
}
