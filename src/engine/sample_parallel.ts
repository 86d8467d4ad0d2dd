/**
 * Parallel sampling: several continuations of one prompt, which is computed once. In blocks they share it, and copy a
 * block when they write to it (Kwon et al. 2023, section 4.4); contiguous caches are copied whole.
 */
import type { Dtype } from "../formats/registry.ts";
import type { Model } from "../model/model.ts";
import type { Sampling } from "../model/sampling.ts";
import type { NamedStrategy } from "./decoding_kv.ts";
import { groupKv } from "./group_kv.ts";
import { type KvFootprint, KvPeak } from "./kv_footprint.ts";
import { LiveEngine } from "./live_engine.ts";

/** A request for continuations of one prompt. */
interface ParallelRequest extends NamedStrategy {
  readonly ids: readonly number[];
  /** Tokens that each continuation gains at most. */
  readonly newTokens: number;
  /** Samplings: one for each continuation. */
  readonly samplings: readonly Sampling[];
  /** Storage type of K and V. */
  readonly kvDtype: Dtype;
  /** Called with each new id of a continuation, in order; false ends it. */
  onToken(index: number, id: number): boolean;
}

/**
 * Samples until every continuation has all its tokens or was ended.
 *
 * @throws {NotFiniteError} If a logit is infinite or NaN.
 * @throws {KvbenchError} If a buffer is too large, or the device fails.
 */
export async function sampleParallel(model: Model, request: ParallelRequest): Promise<KvFootprint> {
  const { ids, newTokens, samplings, kvDtype, onToken } = request;
  const nSequences = samplings.length;
  const { kv, maxRows } = groupKv(request, model.config, { promptTokens: ids.length, newTokens, nSequences });
  const engine = await LiveEngine.create(model, kv, {
    nCtx: model.config.nCtx,
    maxSequences: nSequences,
    maxRows,
    preemption: "recompute",
    kvDtype,
  });
  const peak = new KvPeak(engine.tokenBytes);
  let failure: { readonly error: unknown } | undefined;
  try {
    engine.submit({
      id: 0,
      ids,
      promptTokens: ids.length,
      newTokens,
      continuations: nSequences,
      samplings,
      topLogprobs: undefined,
      onToken: (index, id) => {
        if (!onToken(index, id)) engine.end(0, index);
      },
      onFailure: (error) => failure = { error },
    });
    engine.stop();
    await engine.run((usage) => peak.note(usage));
    if (failure) throw failure.error;
    return peak.footprint(engine.copiedBytes);
  } finally {
    engine.dispose();
  }
}
