/**
 * The logits of a given text, computed as decoding does: the prompt at once, then a step for each token, through
 * whatever a strategy keeps, forgets or rounds.
 */
import type { Decoder } from "./decoder.ts";

/** Steps that are under way at once: awaiting each readback on its own would take longer than most steps. */
const STEPS_AHEAD = 16;

/**
 * Begins a sequence with the first `promptTokens` of `ids` and yields the logits after its last one, then after each
 * further token of `ids`: [vocabSize] per position.
 *
 * @throws {UsageError} If the sequence is longer than the decoder allows.
 * @throws {KvbenchError} If the device fails.
 */
export async function* steppedLogits(
  decoder: Decoder,
  ids: readonly number[],
  promptTokens: number,
): AsyncGenerator<Float32Array> {
  decoder.begin([ids.slice(0, promptTokens)]);
  let next = promptTokens;
  let ahead = together([decoder.logits()]);
  for (;;) {
    const rows = await ahead;
    if (rows.length === 0) return;
    const steps: Promise<Float32Array[]>[] = [];
    for (; next < ids.length && steps.length < STEPS_AHEAD; next++) {
      decoder.append([[ids[next]!]]);
      steps.push(decoder.logits());
    }
    ahead = together(steps);
    for (const [row] of rows) yield row!;
  }
}

/** Waits for all steps; a failure is told to whoever waits, and nobody else. */
function together(steps: readonly Promise<Float32Array[]>[]): Promise<Float32Array[][]> {
  const all = Promise.all(steps);
  all.catch(() => {});
  return all;
}
