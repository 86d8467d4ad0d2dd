/**
 * The memory that beams share. Beam search keeps the best continuations of all beams, so that all successors may come
 * from one beam: then they share its blocks, and the others' blocks are free. The policy is the real one; the parent of
 * each successor is drawn at random.
 */
import { chooseKv, sharingStrategy } from "../../kv/registry.ts";
import { type KvOptions, makeKv } from "../../kv/strategy_def.ts";
import type { RequestLengths } from "../lengths.ts";

interface BeamOptions {
  readonly beams: number;
  /** Options of the strategy that shares. */
  readonly kvOptions: KvOptions;
  /** Uniform numbers in [0, 1), which draw the parents. */
  readonly random: () => number;
}

/** Returns blocks saved by sharing ÷ blocks without sharing, over all steps of all requests. */
export function beamSharing(requests: Iterable<RequestLengths>, options: BeamOptions): number {
  let used = 0, saved = 0;
  for (const request of requests) {
    const room = roomOf(request, options);
    used += room.used;
    saved += room.saved;
  }
  return used === 0 ? 0 : saved / (used + saved);
}

/** Sums the tokens of room that are held, and those that sharing saves, over the steps of one request. */
function roomOf(
  { promptTokens, newTokens }: RequestLengths,
  { beams, kvOptions, random }: BeamOptions,
): { used: number; saved: number } {
  const maxTokens = promptTokens + newTokens;
  // A successor is forked before its parent is freed, and copies its last block.
  const { policy } = makeKv(chooseKv(sharingStrategy().name, kvOptions), {
    ...{ nSequences: 2 * beams, nLayer: 1, nCtx: maxTokens, maxTokens, maxRows: maxTokens },
    ...{ budgetTokens: undefined, swapTokens: 0, watermark: 0 },
  });
  const request = { promptTokens, newTokens, continuations: beams };
  policy.admit({
    request,
    sequences: [0],
    nTokens: promptTokens,
    nKnown: promptTokens,
    prefix: [],
    alone: true,
  });
  let living = [0], next = 1, used = 0, saved = 0;
  for (let length = promptTokens + 1; length <= maxTokens; length++) {
    const successors = Array.from({ length: beams }, () => {
      policy.fork(living[Math.floor(random() * living.length)]!, next);
      return next++;
    });
    for (const beam of living) policy.release(beam);
    for (const beam of successors) policy.grow(beam, length);
    living = successors;
    const usage = policy.usage();
    used += usage.capacity - usage.free;
    saved += usage.saved;
  }
  return { used, saved };
}
