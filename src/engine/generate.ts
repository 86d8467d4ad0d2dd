/**
 * One generation request: yields new ids in chunks while the GPU computes the next chunk, until every sequence
 * has ended. Knows ids, not text.
 */
import type { Decoder } from "./decoder.ts";
import type { Sampling } from "../model/sampling.ts";

/** Tokens of a chunk: the first comes alone, since someone is waiting for it. */
const CHUNK_TOKENS = 8;

/** A request to generate. */
export interface GenerateRequest {
  /** One prompt per sequence. */
  readonly prompts: readonly (readonly number[])[];
  /** Tokens that each sequence gains at most. */
  readonly maxNewTokens: number;
  /** One per sequence. */
  readonly sampling: readonly Sampling[];
}

/**
 * Yields the ids that each sequence has gained since the last time: [nSequences][chunk]. The caller stops
 * by leaving the loop; a chunk that was under way by then is awaited, since its readback may not outlive the
 * decoder, and lost.
 *
 * @throws {KvbenchError} If the strategy has no room or the device fails.
 */
export async function* generate(decoder: Decoder, request: GenerateRequest): AsyncGenerator<number[][]> {
  const { prompts, maxNewTokens, sampling } = request;
  decoder.begin(prompts, sampling);
  let recorded = 0;
  const record = (): Promise<number[][]> | undefined => {
    const steps = Math.min(recorded === 0 ? 1 : CHUNK_TOKENS, maxNewTokens - recorded);
    if (steps === 0) return undefined;
    const from = prompts.map((ids) => ids.length + recorded);
    decoder.advance(steps);
    recorded += steps;
    return decoder.ids(from);
  };
  let chunk = record();
  let next: typeof chunk;
  try {
    if (chunk) yield await chunk;
    await decoder.ready(); // what the first step did without is compiled after it
    chunk = record();
    while (chunk) {
      next = record();
      next?.catch(() => {}); // reported when its turn comes
      yield await chunk;
      chunk = next;
    }
  } finally {
    await next?.catch(() => {});
  }
}
