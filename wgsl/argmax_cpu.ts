/**
 * CPU reference of `argmax.wgsl`.
 *
 * @module
 */

/** The lowest id among those with the largest logit [nVocab]. */
export function argmaxCpu(logits: Float32Array): number {
  let best = 0;
  logits.forEach((logit, id) => {
    if (logit > logits[best]!) best = id;
  });
  return best;
}
