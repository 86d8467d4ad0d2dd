/**
 * How long prompts and outputs are: log-normal distributions whose means are those of the data sets that the
 * PagedAttention paper serves (Kwon et al. 2023, figure 11). Host only.
 *
 * @module
 */
import type { ModelShape } from "./model_shape.ts";

/** A log-normal distribution: exp(mu + sigma · z), z standard normal. */
export interface LogNormal {
  /** Mean of the logarithm. */
  readonly mu: number;
  /** Standard deviation of the logarithm. */
  readonly sigma: number;
}

/** Lengths of a data set, in tokens. */
export interface LengthModel {
  /** Tokens of a prompt. */
  readonly prompt: LogNormal;
  /** Tokens that are generated for it. */
  readonly output: LogNormal;
  /** Means that the paper gives, after dropping what exceeds {@linkcode FITTED_CONTEXT}. */
  readonly means: { readonly prompt: number; readonly output: number };
  /** Tokens of a running sequence, on average over time, that the paper's figures come to. */
  readonly running: number;
}

/** The context of the models that the paper serves, which its lengths were cut to. */
export const FITTED_CONTEXT = 2048;

/** Names of the data sets. */
export const DATA_SETS = ["sharegpt", "alpaca"] as const;
/** A data set. */
export type DataSet = (typeof DATA_SETS)[number];

/**
 * Fits to the paper. The means are those printed in its figure 11. The spread of outputs is such that a running
 * sequence holds, on average over time, as many tokens as the paper's figures come to: 15.7 K slots, 96.3 % of them
 * used (table 1, figure 2), by 30.42 or 132.44 sequences (figure 13), are 497 and 114 tokens each. The spread of
 * prompts, which matters little, is read off the histograms of figure 11. A file of real lengths is better where
 * there is one.
 */
export const LENGTH_MODELS: Readonly<Record<DataSet, LengthModel>> = {
  sharegpt: {
    prompt: { mu: 4.402, sigma: 1.3 },
    output: { mu: 5.427, sigma: 1.1 },
    means: { prompt: 161.31, output: 337.99 },
    running: 497,
  },
  alpaca: {
    prompt: { mu: 2.916, sigma: 0.3 },
    output: { mu: 3.468, sigma: 1.1 },
    means: { prompt: 19.31, output: 58.45 },
    running: 114,
  },
};

/** A request's lengths in tokens. */
export interface RequestLengths {
  /** Of the prompt. */
  readonly promptTokens: number;
  /** Of each continuation. */
  readonly newTokens: number;
}

/**
 * Draws lengths that fit a context: what does not is dropped and drawn again, as the paper drops it.
 *
 * @param scale Multiplies both lengths, so that a short context sees the same proportions.
 */
export function drawLengths(
  { prompt, output }: LengthModel,
  { nCtx }: Pick<ModelShape, "nCtx">,
  { scale, random }: { readonly scale: number; readonly random: () => number },
): RequestLengths {
  for (;;) {
    const promptTokens = Math.max(1, Math.round(scale * drawLogNormal(prompt, random)));
    const newTokens = Math.max(1, Math.round(scale * drawLogNormal(output, random)));
    if (promptTokens + newTokens <= nCtx) return { promptTokens, newTokens };
  }
}

/** One draw, by the transform of Box and Muller (1958). */
function drawLogNormal({ mu, sigma }: LogNormal, random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.exp(mu + sigma * normal);
}
