/**
 * The loop of eager frameworks: each step has buffers and bind groups of its own, and its token is awaited on the host
 * before the next step begins. Nothing but K and V is kept. For comparison with what `decoder.ts` does.
 */
import { NOT_FINITE } from "../base/finite.ts";
import type { Decoder } from "./decoder.ts";

/** A prompt to continue greedily. */
interface EagerRequest {
  /** Ids of the only sequence. */
  readonly prompt: readonly number[];
  /** Tokens to generate. */
  readonly newTokens: number;
  /** Called when a token is on the host. */
  onToken(): void;
}

/**
 * Generates with a decoder of one sequence, and returns the new ids.
 *
 * @throws {NotFiniteError} If a token could not be chosen, since a logit is infinite or NaN.
 * @throws {KvbenchError} If there is no room, or the device fails.
 */
export async function generateEagerly(decoder: Decoder, request: EagerRequest): Promise<number[]> {
  const { runner } = decoder, { prompt, newTokens, onToken } = request;
  decoder.begin([prompt]);
  const ids = [...prompt];
  for (let token = 0; token < newTokens; token++) {
    runner.renew(ids.length - runner.policy.firstToCompute(0));
    runner.writeTokens(0, 0, ids);
    decoder.advance(1);
    const [[id]] = await runner.tokens([{ sequence: 0, first: ids.length, count: 1 }]) as [[number]];
    onToken();
    if (id === NOT_FINITE) break;
    ids.push(id);
  }
  return (await decoder.ids(prompt.length))[0]!; // checks them too
}
