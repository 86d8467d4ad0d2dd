/**
 * Several continuations of one prompt, sampled or searched for with beams, that share what K and V they can.
 */
import { beamSearch } from "../../../engine/beam_search.ts";
import { Continuation } from "../../../engine/continuation.ts";
import type { KvFootprint } from "../../../engine/kv_footprint.ts";
import { sampleParallel } from "../../../engine/sample_parallel.ts";
import type { Sampling } from "../../../model/sampling.ts";
import type { GenerateOptions } from "./generate_options.ts";
import { kvOptionsOf } from "../../options/kv_options.ts";
import { withProgress } from "../../terminal/progress.ts";
import type { Session } from "../../session/session.ts";

/** A prompt and the choice of tokens after it. */
export interface Prompted {
  /** Token ids of the prompt. */
  readonly ids: readonly number[];
  readonly sampling: Sampling;
  /** Id of the end-of-text token; undefined if it does not end a continuation. */
  readonly eos: number | undefined;
}

export interface Many {
  readonly sequences: readonly Continuation[];
  /** The score of each sequence, by which beams are ranked. */
  readonly scores?: readonly number[];
  readonly footprint: KvFootprint;
}

/** Samples `numReturnSequences` continuations, with seeds that count up. */
export async function sampleMany(
  { model, tokenizer }: Session,
  options: GenerateOptions,
  { ids, sampling, eos }: Prompted,
): Promise<Many> {
  const n = options.numReturnSequences;
  const sequences = Array.from({ length: n }, () => new Continuation(tokenizer, options.stop, ids));
  const footprint = await withProgress((bar) => {
    bar.start("Generating", n * options.maxNewTokens, "tokens");
    let tokens = 0;
    return sampleParallel(model, {
      ...options,
      kvOptions: kvOptionsOf(options),
      ids,
      newTokens: options.maxNewTokens,
      samplings: sequences.map((_, i) => ({ ...sampling, seed: (sampling.seed + i) % 2 ** 32 })),
      onToken: (index, id) => {
        bar.update(++tokens);
        sequences[index]!.push(id, eos);
        return sequences[index]!.finishReason === undefined;
      },
    });
  });
  for (const sequence of sequences) sequence.end("length");
  return { sequences, footprint };
}

/** Searches with `numBeams` beams, and returns the best `numReturnSequences` texts, best first. */
export async function searchMany(
  { model, tokenizer }: Session,
  options: GenerateOptions,
  { ids, eos }: Omit<Prompted, "sampling">,
): Promise<Many> {
  const { hypotheses, footprint } = await withProgress((bar) => {
    bar.start("Searching", options.maxNewTokens, "tokens per beam");
    return beamSearch(model, ids, {
      ...options,
      kvOptions: kvOptionsOf(options),
      nBeams: options.numBeams,
      newTokens: options.maxNewTokens,
      eos,
      onProgress: (tokens) => bar.update(tokens),
    });
  });
  const best = hypotheses.slice(0, options.numReturnSequences);
  const sequences = best.map((found) => {
    const sequence = new Continuation(tokenizer, [], ids);
    for (const id of found.ids) sequence.push(id, eos);
    sequence.end("length");
    return sequence;
  });
  return { sequences, footprint, scores: best.map(({ score }) => score) };
}
