/**
 * The model that options name: found, fetched or made up.
 *
 * @module
 */
import type { TensorSource, WeightsOrigin } from "../../checkpoint/checkpoint.ts";
import { SyntheticCheckpoint } from "../../checkpoint/synthetic.ts";
import { locateConfig, locateModel } from "../../hub/locate.ts";
import type { ModelOptions } from "../options/model_options.ts";
import { fetchProgress } from "../terminal/fetch_progress.ts";
import { progressBar, withProgress } from "../terminal/progress.ts";

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
    const config = await locateConfig(model, { events });
    bar.say(`Synthetic weights: speed and memory are those of ${model}, what it says means nothing`);
    return new SyntheticCheckpoint(`${model} (synthetic weights, seed ${seed})`, config, seed);
  } finally {
    bar.stop();
  }
}
