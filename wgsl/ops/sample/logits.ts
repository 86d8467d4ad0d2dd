/** Logits that are hard on a choice among them. */
import { normalArray } from "../../../src/model/values.ts";

/** Makes logits that are hard on thresholds, by what is hard about them. */
export function awkwardLogits(nVocab: number): Record<string, Float32Array> {
  const peaked = normalArray(nVocab, { mean: -90, deviation: 2 });
  peaked[nVocab >> 1] = -40;
  return {
    "as GPT-2's": normalArray(nVocab, { mean: -60, deviation: 3 }),
    "around 0": normalArray(nVocab, { deviation: 2 }),
    "ties": normalArray(nVocab, { deviation: 1.5 }).map((x) => Math.round(x) || 0),
    "peaked": peaked,
    "nearly flat": normalArray(nVocab, { mean: 5, deviation: 1e-3 }),
    "flat": new Float32Array(nVocab).fill(-1.5),
  };
}

/** Bits of what is no finite float32, by its name. */
const NOT_FINITE_BITS = {
  "infinity": 0x7f800000,
  "-infinity": 0xff800000,
  "NaN": 0x7fc00000,
  "-NaN": 0xffc00000,
  "a signalling NaN": 0x7f800001,
};

/** Makes logits of which one, the first, the last or one between, is not finite, by what it is. */
export function brokenLogits(nVocab: number): Record<string, Float32Array> {
  const logits = normalArray(nVocab, { mean: -60, deviation: 3 });
  return Object.fromEntries(
    Object.entries(NOT_FINITE_BITS).map(([name, bits], i) => {
      const broken = logits.slice();
      new Uint32Array(broken.buffer)[[nVocab >> 1, 0, nVocab - 1][i % 3]!] = bits;
      return [`with ${name}`, broken];
    }),
  );
}

/** Makes logits of which one is as large as float32 has them, and one as small: both are finite. */
export function extremeLogits(nVocab: number): Record<string, Float32Array> {
  const logits = normalArray(nVocab, { mean: -60, deviation: 3 });
  new Uint32Array(logits.buffer).set([0x7f7fffff, 0xff7fffff], nVocab >> 1);
  return { "of the largest magnitudes": logits };
}
