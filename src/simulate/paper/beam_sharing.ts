/**
 * How much memory beams share. Beam search keeps the best continuations of all beams, so that a beam's successors may
 * all come from one of them: then they share all its blocks, and the others' are free. The block manager is the real
 * one; only which beam each successor comes from is drawn here.
 *
 * @module
 */
import { BlockManager } from "../../kv/paged/block_manager.ts";
import type { RequestLengths } from "../lengths.ts";

/** What {@linkcode beamSharing} simulates. */
export interface BeamOptions {
  /** Beams of each request. */
  readonly beams: number;
  /** Tokens per KV block. */
  readonly blockSize: number;
  /** Draws the parents, evenly. */
  readonly random: () => number;
}

/** Blocks saved by sharing ÷ blocks without sharing, over all steps of all requests. */
export function beamSharing(requests: Iterable<RequestLengths>, options: BeamOptions): number {
  let used = 0, saved = 0;
  for (const request of requests) {
    const blocks = blocksOf(request, options);
    used += blocks.used;
    saved += blocks.saved;
  }
  return used === 0 ? 0 : saved / (used + saved);
}

/** Blocks in use, and saved, added up over the steps of one request. */
function blocksOf(
  { promptTokens, newTokens }: RequestLengths,
  { beams, blockSize, random }: BeamOptions,
): { used: number; saved: number } {
  // A successor is forked before its parent is freed, and copies its last block.
  const nBlocks = 2 * beams * Math.ceil((promptTokens + newTokens) / blockSize);
  const manager = new BlockManager({ nBlocks, blockSize });
  manager.allocate(0, promptTokens);
  let living = [0], next = 1, used = 0, saved = 0;
  for (let step = 0; step < newTokens; step++) {
    const successors = Array.from({ length: beams }, () => {
      manager.fork(living[Math.floor(random() * living.length)]!, next);
      return next++;
    });
    for (const beam of living) manager.free(beam);
    for (const beam of successors) manager.append(beam);
    living = successors;
    const { blocks, blocksSaved } = manager.usage();
    used += blocks;
    saved += blocksSaved;
  }
  return { used, saved };
}
