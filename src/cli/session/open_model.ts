/** The model that options name: found, fetched or made up, with its tokenizer. */
import type { TensorSource, WeightsOrigin } from "../../checkpoint/checkpoint.ts";
import { SyntheticCheckpoint } from "../../checkpoint/synthetic.ts";
import type { Tokenizer } from "../../checkpoint/tokenizer.ts";
import { tokenizerFor } from "../../checkpoint/vocabulary.ts";
import { KvbenchError } from "../../base/errors.ts";
import { describeModel, locateModel } from "../../hub/locate.ts";
import type { ModelOptions } from "../options/model_options.ts";
import { fetchProgress } from "../terminal/fetch_progress.ts";
import { progressBar, withProgress } from "../terminal/progress.ts";

/** Loads a model's tokenizer, or says why its vocabulary can't be used: token ids need none. */
export async function usableTokenizer(checkpoint: TensorSource): Promise<Tokenizer | undefined> {
  try {
    return await tokenizerFor(checkpoint);
  } catch (error) {
    if (!(error instanceof KvbenchError)) throw error;
    console.error(`kvbench: no text, only token ids: ${error.message}`);
    return undefined;
  }
}

/** Hashes a model's weights, for the record of a measurement. */
export async function hashed(checkpoint: TensorSource): Promise<WeightsOrigin> {
  return await withProgress((bar) => {
    bar.start("Hashing weights");
    return checkpoint.origin();
  });
}

/** Finds, fetches or makes up the model that the options name. */
export async function openModel({ model, weights: seed }: ModelOptions): Promise<TensorSource> {
  const bar = progressBar();
  const events = fetchProgress(bar);
  try {
    if (seed === undefined) return await locateModel(model, { events });
    const { config, vocabulary } = await describeModel(model, { events });
    bar.say(`Synthetic weights: speed and memory are those of ${model}, what it says means nothing`);
    return new SyntheticCheckpoint(`${model} (synthetic weights, seed ${seed})`, config, seed, vocabulary);
  } finally {
    bar.stop();
  }
}
