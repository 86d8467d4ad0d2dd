/** `kvbench perplexity`: what a storage type costs, as the perplexity of a text. */
import { idList, MOST_TOKENS, wholeNumber } from "../options/values.ts";
import { Command } from "../options/commander.ts";
import { UsageError } from "../../base/errors.ts";
import { perplexity, perplexityNeed } from "../../measure/quality/perplexity.ts";
import { readText } from "../../host/files.ts";
import { checkIds } from "../../checkpoint/config.ts";
import type { Tokenizer } from "../../checkpoint/tokenizer.ts";
import { describeHelp } from "../options/help.ts";
import { PRINT_JSON } from "../options/json_output.ts";
import { addKvDtypeOptions, addModelOptions, type PrecisionOptions } from "../options/model_options.ts";
import { addOptions, optionList, type Values } from "../options/option_spec.ts";
import { withProgress } from "../terminal/progress.ts";
import { withSession } from "../session/session.ts";
import { writeLine } from "../terminal/stdout.ts";

const PERPLEXITY_OPTIONS = optionList({
  flags: "--ids",
  help: "The file holds token ids with commas between them, one text per line",
  group: "Prompt",
  default: false,
}, {
  flags: "--stride <tokens>",
  help: "Distance between windows",
  group: "Measuring",
  parse: wholeNumber(1, MOST_TOKENS),
  defaultText: "half a window",
}, {
  flags: "--max-length <tokens>",
  help: "Length of a window",
  group: "Measuring",
  parse: wholeNumber(2, MOST_TOKENS),
  defaultText: "the model's context",
}, PRINT_JSON);

type Options = PrecisionOptions & Values<typeof PERPLEXITY_OPTIONS>;

export function perplexityCommand(): Command {
  const command = addOptions(
    addKvDtypeOptions(addModelOptions(new Command("perplexity"))),
    ...PERPLEXITY_OPTIONS,
  );
  return describeHelp(command, {
    everyday: "model weights-dtype kv-dtype ids stride max-length json",
    examples: [
      ["Score a text in float32", "perplexity story.txt"],
      ["Score it with weights, K and V in int8", "perplexity story.txt --weights-dtype int8 --kv-dtype int8"],
    ],
  })
    .summary("Score a text, to see what a storage type costs")
    .description("Score a text with a sliding window, to see what --weights-dtype and --kv-dtype cost.")
    .argument("<file>", "Text in UTF-8")
    .action(run);
}

async function run(file: string, options: Options): Promise<void> {
  const text = await readText(file);
  await withSession(options, ({ config }, tokenizer) => {
    const { maxLength = config.nCtx } = options;
    if (maxLength > config.nCtx) {
      throw new UsageError(`--max-length is ${maxLength}: the model's context is ${config.nCtx} tokens`);
    }
    const texts = textsOf(text, options, tokenizer);
    for (const ids of texts) checkIds(ids, config.vocabSize);
    return Promise.resolve({ texts, maxLength });
  }, async ({ model, modelName }, { texts, maxLength }) => {
    const { kvDtype, stride = Math.ceil(maxLength / 2) } = options;
    const result = await withProgress((bar) => {
      bar.start("Scoring", texts.reduce((sum, ids) => sum + Math.max(0, ids.length - 1), 0), "tokens");
      const onProgress = (tokens: number) => bar.update(tokens);
      return perplexity(model, texts, { maxLength, stride, kvDtype, onProgress });
    });
    if (options.json) {
      writeLine(JSON.stringify({
        model: modelName,
        weights_dtype: options.weightsDtype,
        kv_dtype: kvDtype,
        max_length: maxLength,
        stride,
        tokens: result.tokens,
        perplexity: result.perplexity,
      }));
    } else {
      writeLine(
        `Perplexity ${result.perplexity.toFixed(4)} over ${result.tokens} tokens: ${modelName}, weights ` +
          `${options.weightsDtype}, K/V ${kvDtype}, windows of ${maxLength}, stride ${stride}`,
      );
    }
  }, ({ maxLength }) => ({
    work: (context) => perplexityNeed(context, { maxLength, kvDtype: options.kvDtype }),
  }));
}

function textsOf(text: string, { ids }: Options, tokenizer: Tokenizer | undefined): number[][] {
  if (ids) return text.split("\n").filter((line) => line.trim() !== "").map(idList);
  if (!tokenizer) throw new UsageError("This model has no tokenizer: expected token ids and --ids");
  return [[...tokenizer.encode(text)]];
}
