/**
 * The choice of the next token: temperature, top-k, top-p and a seed, as `sample.wgsl` takes them. Host only.
 */
import { UsageError } from "../base/errors.ts";

/** The parameters by which one sequence's tokens are chosen. */
export interface Sampling {
  /** Divides the logits; 0 (and anything below 1e-6) takes the likeliest token. */
  readonly temperature: number;
  /** Only the so many likeliest tokens may be chosen; 0 is no limit. */
  readonly topK: number;
  /** Only the likeliest tokens that have this much of the probability together may be chosen; 1 is no limit. */
  readonly topP: number;
  /** Of the random numbers, a whole number below 2^32. Sequences with one seed and one prompt are equal. */
  readonly seed: number;
}

/** Takes the likeliest token. */
export const GREEDY: Sampling = { temperature: 0, topK: 0, topP: 1, seed: 0 };

/** The highest temperature: long before it, all tokens are as good as equally likely. */
export const MOST_TEMPERATURE = 100;

/** Words of the struct in `sample.wgsl`. */
const WORDS = 4;

/**
 * Checks values that came from outside.
 *
 * @throws {UsageError} If one is out of range.
 */
export function checkSampling({ temperature, topK, topP, seed }: Sampling): void {
  if (!(temperature >= 0 && temperature <= MOST_TEMPERATURE)) {
    throw new UsageError(
      `Cannot sample at temperature ${temperature}: expected a number from 0 to ${MOST_TEMPERATURE}`,
    );
  }
  if (!isU32(topK)) {
    throw new UsageError(
      `Cannot sample with top-k ${topK}: expected a whole number below 2^32, 0 for no limit`,
    );
  }
  if (!(Math.fround(topP) > 0 && topP <= 1)) {
    throw new UsageError(`Cannot sample with top-p ${topP}: expected a number above 0 and at most 1`);
  }
  if (!isU32(seed)) {
    throw new UsageError(`Cannot sample with seed ${seed}: expected a whole number from 0 to 2^32 - 1`);
  }
}

/** Lays samplings out as `sample.wgsl` reads them: [nSequences] of temperature, top-k, top-p, seed. */
export function packSampling(samplings: readonly Sampling[]): ArrayBuffer {
  const words = new Uint32Array(samplings.length * WORDS);
  const floats = new Float32Array(words.buffer);
  samplings.forEach(({ temperature, topK, topP, seed }, i) => {
    floats[i * WORDS] = temperature;
    words[i * WORDS + 1] = topK;
    floats[i * WORDS + 2] = topP;
    words[i * WORDS + 3] = seed;
  });
  return words.buffer;
}

function isU32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}
