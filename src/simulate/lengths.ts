/**
 * Lengths of prompts and outputs: log-normal distributions with the means of the data sets that the PagedAttention
 * paper serves (Kwon et al. 2023, figure 11). Host only.
 */
import type { ModelShape } from "./model_shape.ts";

/** A log-normal distribution: exp(mu + sigma · z), z standard normal. */
interface LogNormal {
  /** Mean of the logarithm. */
  readonly mu: number;
  /** Standard deviation of the logarithm. */
  readonly sigma: number;
}

/** Lengths of a data set, in tokens. */
interface LengthModel {
  readonly prompt: LogNormal;
  readonly output: LogNormal;
  /** Means in the paper, after dropping requests that exceed {@linkcode FITTED_CONTEXT}. */
  readonly means: { readonly prompt: number; readonly output: number };
  /** Tokens of a running sequence, mean over time, by the paper's figures. */
  readonly running: number;
}

/** Context length of the models that the paper serves, to which its lengths were cut. */
export const FITTED_CONTEXT = 2048;

/** Names of data sets. */
export const DATA_SETS = ["sharegpt", "alpaca"] as const;
/** Name of a data set. */
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

/** Lengths of a request's prompt and of each continuation. */
export interface RequestLengths {
  readonly promptTokens: number;
  readonly newTokens: number;
  /** Arrival, in ms after the first request; absent where the source has none. */
  readonly arrivalMs?: number;
}

/** A source of lengths: a data set's distribution, or a file's records. */
export type LengthSource =
  | { readonly dataSet: DataSet }
  | { readonly file: string; readonly recorded: readonly RequestLengths[] };

/** Lengths that are drawn uniformly around a mean; `spread` is the largest distance from it, as a share. */
export interface UniformLengths extends RequestLengths {
  readonly spread: number;
}

/** Returns a function that draws the lengths of one request after the other. */
export function drawerOf(
  lengths: LengthSource | { readonly uniform: UniformLengths },
  { nCtx, scale = 1 }: { readonly nCtx: number; readonly scale?: number },
): (random: () => number) => RequestLengths {
  if ("dataSet" in lengths) {
    return (random) => drawLengths(LENGTH_MODELS[lengths.dataSet], { nCtx }, { scale, random });
  }
  if ("uniform" in lengths) {
    const { promptTokens, newTokens, spread } = lengths.uniform;
    const around = (mean: number, random: () => number) =>
      Math.max(1, Math.round(mean * (1 + spread * (2 * random() - 1))));
    return (random) => ({ promptTokens: around(promptTokens, random), newTokens: around(newTokens, random) });
  }
  let next = 0;
  return () => lengths.recorded[next++ % lengths.recorded.length]!;
}

/**
 * Draws lengths that fit a context; lengths that do not are drawn again, as the paper drops them.
 *
 * @param scale Factor on both lengths, so that a short context sees the same proportions.
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

/** Draws once, by the transform of Box and Muller (1958). */
function drawLogNormal({ mu, sigma }: LogNormal, random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.exp(mu + sigma * normal);
}
