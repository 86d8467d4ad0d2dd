/** The differences of logits that rounding explains. */
import { isExactKv, type KvDtype } from "../../formats/kv_dtype.ts";
import type { Model } from "../../model/model.ts";

/** The tolerance that kvbench promises for float32 weights. */
export const PROMISED_TOLERANCE = 2e-3;
/**
 * The tolerance that it keeps on software adapters: logits of up to 40 are 9e-5 off after 1024 tokens, 2e-5 in the other
 * cases. Hardware has other errors in exp() and in the order of sums.
 */
export const SOFTWARE_TOLERANCE = 2e-4;
/** The same for K and V in fewer bits, where another rounding moves a logit by more. */
const NARROW_TOLERANCE = 0.1;

/** Returns the tolerance of logits, with K and V in a storage type. */
export function logitTolerance({ gpu: { facts } }: Pick<Model, "gpu">, kvDtype: KvDtype): number {
  if (!isExactKv(kvDtype)) return NARROW_TOLERANCE;
  return facts.software ? SOFTWARE_TOLERANCE : PROMISED_TOLERANCE;
}
