/** CPU reference of `argmax.wgsl`. */
import { NOT_FINITE } from "../../../src/base/finite.ts";

/** The lowest id among those with the largest logit [nVocab], or {@linkcode NOT_FINITE} where one is not finite. */
export function argmaxCpu(logits: Float32Array): number {
  if (!logits.every(Number.isFinite)) return NOT_FINITE;
  let best = 0;
  logits.forEach((logit, id) => {
    if (logit > logits[best]!) best = id;
  });
  return best;
}
