/**
 * Parallel sampling: several continuations of one prompt, which is computed once. In blocks they share it, and copy a
 * block when they write to it (Kwon et al. 2023, section 4.4); contiguous caches are copied whole.
 *
 * @module
 */
import type { Dtype } from "../formats/registry.ts";
import type { Gpt2 } from "../model/gpt2.ts";
import type { Sampling } from "../model/sampling.ts";
import type { StrategyName } from "../kv/strategy.ts";
import { groupMemory, groupRows } from "./group_memory.ts";
import { type KvFootprint, KvPeak } from "./kv_footprint.ts";
import { LiveEngine } from "./live_engine.ts";

/** What to sample. */
export interface ParallelRequest {
  /** The prompt. */
  readonly ids: readonly number[];
  /** Tokens that each continuation gains at most. */
  readonly newTokens: number;
  /** How tokens are chosen: one for each continuation. */
  readonly samplings: readonly Sampling[];
  /** Where K and V are kept. */
  readonly strategy: StrategyName;
  /** How they are stored. */
  readonly kvDtype: Dtype;
  /** Tokens per block of `paged`. */
  readonly blockSize: number;
  /** Called with each new id of a continuation, in order; false ends it. */
  onToken(index: number, id: number): boolean;
}

/**
 * Samples until every continuation has all its tokens or was ended.
 *
 * @throws {NotFiniteError} If a logit is infinite or NaN.
 * @throws {KvbenchError} If a buffer is too large, or the device fails.
 */
export async function sampleParallel(model: Gpt2, request: ParallelRequest): Promise<KvFootprint> {
  const { ids, newTokens, samplings, strategy, kvDtype, blockSize, onToken } = request;
  const nSequences = samplings.length;
  const need = { promptTokens: ids.length, newTokens, nSequences, blockSize };
  const memory = groupMemory(strategy, need);
  const engine = await LiveEngine.create(model, memory, {
    nCtx: model.config.nCtx,
    maxSequences: nSequences,
    maxRows: groupRows(need, memory.keeps),
    preemption: "recompute",
    kvDtype,
  });
  const { dims: { a4 }, config: { nHead, nLayer } } = model;
  const peak = new KvPeak({ a4, nHead, dtype: kvDtype }, memory.keeps ? nLayer : 1);
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
