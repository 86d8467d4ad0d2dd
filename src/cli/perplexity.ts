/**
 * `kvbench perplexity`: what a storage type costs, as the perplexity of a text.
 *
 * @module
 */
import { Command } from "./commander.ts";
import { UsageError } from "../errors.ts";
import { perplexity, perplexityNeed } from "../measure/perplexity.ts";
import { readText } from "../model/byte_source.ts";
import { checkIds } from "../model/config.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { addKvDtypeOption, addModelOptions, type PrecisionOptions } from "./model_options.ts";
import { progressBar } from "./progress.ts";
import { withSession } from "./session.ts";
import { writeLine } from "./stdout.ts";
import { idList, MOST_TOKENS, wholeNumber } from "./values.ts";

interface Options extends PrecisionOptions {
  readonly ids: boolean;
  readonly stride?: number;
  readonly maxLength?: number;
  readonly json: boolean;
}

/** Declares the subcommand. */
export function perplexityCommand(): Command {
  return addKvDtypeOption(addModelOptions(new Command("perplexity")))
    .description("Score a text with a sliding window, to see what --weights-dtype and --kv-dtype cost")
    .argument("<file>", "the text")
    .option("--ids", "the file holds token ids with commas between them, a text of its own per line", false)
    .option(
      "--stride <tokens>",
      "from one window to the next (default: half a window)",
      wholeNumber(1, MOST_TOKENS),
    )
    .option(
      "--max-length <tokens>",
      "of a window (default: the model's context)",
      wholeNumber(2, MOST_TOKENS),
    )
    .option("--json", "print JSON", false)
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
    const bar = progressBar();
    bar.start("Scoring", texts.reduce((sum, ids) => sum + Math.max(0, ids.length - 1), 0), "tokens");
    try {
      const result = await perplexity(model, texts, {
        maxLength,
        stride,
        kvDtype,
        onProgress: (tokens) => bar.update(tokens),
      });
      bar.stop();
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
    } finally {
      bar.stop();
    }
  }, ({ maxLength }) => (context) => perplexityNeed(context, { maxLength, kvDtype: options.kvDtype }));
}

function textsOf(text: string, { ids }: Options, tokenizer: Tokenizer | undefined): number[][] {
  if (ids) return text.split("\n").filter((line) => line.trim() !== "").map(idList);
  if (!tokenizer) throw new UsageError("This model has no tokenizer: wanted token ids and --ids");
  return [[...tokenizer.encode(text)]];
}
