/**
 * `no-cache`: every step computes the whole sequence again. K and V live for the length of one layer, in a
 * scratch that all layers share.
 *
 * @module
 */
import type { Gpu } from "../gpu/gpu.ts";
import { ContiguousRegions } from "./contiguous.ts";
import { SLOT_GROUP } from "./slot_group.ts";
import { type KvGroups, type KvShape, type KvStrategy, type KvUsage } from "./strategy.ts";

/** Keeps nothing between steps. */
export class NoCache implements KvStrategy {
  readonly name = "no-cache";
  readonly #shape: KvShape;
  readonly #scratch: ContiguousRegions;
  readonly #lengths: number[];

  /** @param maxTokens The longest sequence that will be computed: the scratch's slots per sequence. */
  constructor(gpu: Gpu, shape: KvShape, maxTokens: number) {
    this.#shape = shape;
    this.#scratch = new ContiguousRegions(gpu, shape, {
      layersKept: 1,
      mostTokens: maxTokens,
      slotGroup: SLOT_GROUP,
    });
    this.#scratch.resize(maxTokens, 0);
    this.#lengths = Array(shape.nSequences).fill(0);
  }

  /** As the shape says. */
  get dtype(): KvShape["dtype"] {
    return this.#shape.dtype;
  }

  /** The contiguous slot address. */
  get source(): KvStrategy["source"] {
    return this.#scratch.source;
  }

  /** Nothing is. */
  cached(): number {
    return 0;
  }

  /** The scratch is large enough from the start. */
  reserve(): void {}

  /** Notes how much of the scratch the last step filled. */
  commit(sequence: number, length: number): void {
    this.#lengths[sequence] = length;
  }

  /** All layers share one. */
  bindGroups(layer: number): KvGroups {
    return this.#scratch.bindGroups(layer);
  }

  /** What the scratch holds after the last step. */
  usage(): KvUsage {
    return this.#scratch.usage(this.#lengths);
  }

  /** Forgets the sequences. */
  reset(): void {
    this.#lengths.fill(0);
  }

  /** Frees the scratch. */
  dispose(): void {
    this.#scratch.dispose();
  }
}
