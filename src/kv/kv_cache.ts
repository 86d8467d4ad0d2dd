/**
 * `kv-cache`: K and V of every computed token stay in one contiguous region per sequence, which is either
 * reserved whole at the start (`static`) or grown with every step by copying into a larger one (`dynamic`), as
 * concatenating caches do.
 *
 * @module
 */
import type { Gpu } from "../gpu/gpu.ts";
import { ContiguousRegions } from "./contiguous.ts";
import { SLOT_GROUP } from "./slot_group.ts";
import { type Growth, type KvGroups, type KvShape, type KvStrategy, type KvUsage } from "./strategy.ts";
import { KvbenchError } from "../base/errors.ts";

/** Keeps everything, contiguously. */
export class KvCache implements KvStrategy {
  readonly name = "kv-cache";
  readonly #shape: KvShape;
  readonly #growth: Growth;
  readonly #capacity: number;
  readonly #regions: ContiguousRegions;
  readonly #lengths: number[];

  /** @param capacityTokens The most tokens of a sequence: reserved at once if `static`, a bound if `dynamic`. */
  constructor(gpu: Gpu, shape: KvShape, options: { growth: Growth; capacityTokens: number }) {
    this.#shape = shape;
    this.#growth = options.growth;
    this.#capacity = options.capacityTokens;
    this.#regions = new ContiguousRegions(gpu, shape, {
      layersKept: shape.nLayer,
      mostTokens: options.capacityTokens,
      slotGroup: options.growth === "static" ? SLOT_GROUP : 1,
    });
    this.#lengths = Array(shape.nSequences).fill(0);
    if (this.#growth === "static") this.#regions.resize(this.#capacity, 0);
  }

  /** As the shape says. */
  get dtype(): KvShape["dtype"] {
    return this.#shape.dtype;
  }

  /** The contiguous slot address. */
  get source(): KvStrategy["source"] {
    return this.#regions.source;
  }

  /** All that was committed. */
  cached(sequence: number): number {
    return this.#lengths[sequence]!;
  }

  /** Grows all regions to `length` slots where they are `dynamic` and shorter. */
  reserve(sequence: number, length: number, submit: () => void): void {
    if (length > this.#capacity) {
      throw new KvbenchError(
        `Cannot keep ${length} tokens of sequence ${sequence}: its KV region holds ${this.#capacity}`,
      );
    }
    if (length <= this.#regions.tokensPerSequence) return;
    submit();
    this.#regions.resize(length, this.#regions.tokensPerSequence);
  }

  /** Notes what is stored. */
  commit(sequence: number, length: number): void {
    this.#lengths[sequence] = length;
  }

  /** A layer's own. */
  bindGroups(layer: number): KvGroups {
    return this.#regions.bindGroups(layer);
  }

  /** Everything that is allocated belongs to sequences. */
  usage(): KvUsage {
    return this.#regions.usage(this.#lengths);
  }

  /** Forgets the sequences; a `dynamic` cache gives its memory back. */
  reset(): void {
    this.#lengths.fill(0);
    if (this.#growth === "dynamic") this.#regions.clear();
  }

  /** Frees the regions. */
  dispose(): void {
    this.#regions.dispose();
  }
}
