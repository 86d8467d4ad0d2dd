/**
 * Beam search on the GPU. After each step, beams are continued once, several times or not at all: a beam that goes on
 * stays where it is, and each further continuation takes the place of one that does not. In blocks that is a fork, which
 * copies a block only when it is written to (Kwon et al. 2023, section 4.4); contiguous caches are copied whole.
 */
import { KvbenchError } from "../base/errors.ts";
import type { Dtype } from "../formats/registry.ts";
import type { KvPolicy } from "../kv/policy.ts";
import { firstNotFinite } from "../base/finite.ts";
import type { Model } from "../model/model.ts";
import { type BeamOptions, Beams, type Hypothesis } from "./beams.ts";
import type { NamedStrategy } from "./decoding_kv.ts";
import { groupKv } from "./group_kv.ts";
import { type KvFootprint, KvPeak } from "./kv_footprint.ts";
import { notFiniteError } from "./not_finite.ts";
import { Runner } from "./runner.ts";
import { inOrder } from "./steps.ts";

/** A search, and the strategy that keeps its K and V. */
interface BeamSearchOptions extends BeamOptions, NamedStrategy {
  /** Storage type of K and V. */
  readonly kvDtype: Dtype;
  /** Called with the tokens of the open beams so far. */
  readonly onProgress?: (tokens: number) => void;
}

/** The result of a search. */
interface BeamSearchResult {
  /** The best first. */
  readonly hypotheses: readonly Hypothesis[];
  /** The memory that it took. */
  readonly footprint: KvFootprint;
}

/**
 * Searches for the likeliest continuations of a prompt.
 *
 * @throws {KvbenchError} If the vocabulary is too small for the beams, a buffer is too large, or the device fails.
 */
export async function beamSearch(
  model: Model,
  prompt: readonly number[],
  options: BeamSearchOptions,
): Promise<BeamSearchResult> {
  const { nBeams, newTokens, kvDtype } = options;
  const { config } = model;
  if (2 * nBeams > config.vocabSize) {
    throw new KvbenchError(
      `${nBeams} beams are too many for a vocabulary of ${config.vocabSize}: expected at most half`,
    );
  }
  const need = { promptTokens: prompt.length, newTokens, nSequences: nBeams };
  const { kv, maxRows } = groupKv(options, config, need);
  const runner = await Runner.create(model, kv, { maxSequences: nBeams, maxRows, kvDtype, movesSlots: true });
  try {
    const peak = new KvPeak(runner.pool.tokenBytes);
    const places = new Places(kv.policy, prompt, need);
    const beams = new Beams(options);
    for (let sequence = 0; sequence < nBeams; sequence++) runner.writeTokens(sequence, 0, prompt);
    for (;;) {
      const length = prompt.length + beams.open[0]!.length;
      await inOrder(
        runner.compute(places.sequences.map((sequence) => ({ sequence, length, outputs: 1 })), "none"),
      );
      peak.note(kv.policy.usage());
      runner.submit();
      const logits = await runner.logits([...places.sequences.keys()]);
      const bad = logits.findIndex((row) => firstNotFinite(row) !== undefined);
      if (bad >= 0) throw await notFiniteError(model, [...prompt, ...beams.open[bad]!], kvDtype);
      const parents = beams.step(logits);
      if (parents === undefined) break;
      options.onProgress?.(beams.open[0]!.length);
      const moved = places.follow(parents);
      for (const [beam, sequence] of places.sequences.entries()) {
        const ids = beams.open[beam]!;
        if (moved.has(sequence)) runner.writeTokens(sequence, prompt.length, ids);
        else runner.writeTokens(sequence, length, ids.slice(-1));
      }
    }
    places.release();
    return { hypotheses: beams.hypotheses(), footprint: peak.footprint(runner.pool.copiedBytes) };
  } finally {
    await runner.settle().catch(() => {}); // the first error is the one to tell
    runner.dispose();
  }
}

/** The sequence of the memory that each open beam has. */
class Places {
  sequences: readonly number[] = [0];
  readonly #memory: KvPolicy;
  readonly #all: readonly number[];

  /** Reserves what the policy reserves at an admission; the first sequence holds the prompt. */
  constructor(
    memory: KvPolicy,
    prompt: readonly number[],
    { newTokens, nSequences }: { readonly newTokens: number; readonly nSequences: number },
  ) {
    this.#memory = memory;
    this.#all = Array.from({ length: nSequences }, (_, sequence) => sequence);
    const request = { id: 0, promptTokens: prompt.length, newTokens, continuations: nSequences };
    const known = { nTokens: 0, nKnown: prompt.length, prefix: [], alone: true };
    if (!memory.admit({ request, sequences: this.#all, ...known })) {
      throw new Error("The memory is too small for its group");
    }
  }

  /**
   * Lets each beam continue its parent.
   *
   * @returns The sequences whose beams came from other ones.
   */
  follow(parents: readonly number[]): ReadonlySet<number> {
    const kept = new Set(parents.map((parent) => this.sequences[parent]!));
    const free = this.#all.filter((sequence) => !kept.has(sequence));
    const moved = new Set<number>();
    const taken = new Set<number>();
    this.sequences = parents.map((parent) => {
      const from = this.sequences[parent]!;
      if (!taken.has(from)) {
        taken.add(from);
        return from;
      }
      const to = free.pop()!;
      this.#memory.fork(from, to);
      moved.add(to);
      return to;
    });
    return moved;
  }

  release(): void {
    for (const sequence of this.#all) this.#memory.release(sequence);
    const { capacity, free } = this.#memory.usage();
    if (free !== capacity) throw new Error(`${capacity - free} of ${capacity} K/V tokens were leaked`);
  }
}
