/**
 * The published run that the ladder answers: GPT-2 in a notebook, without a cache, with one, and in vLLM.
 */
import type { RungName } from "../../measure/ladder/rungs.ts";
import { inEnglish } from "../lang.ts";

/** A row of the published table. */
export interface PublishedRow {
  /** The rung that it stands beside. */
  readonly rung: RungName;
  readonly msPerToken: number;
  /** Peak memory by `max_memory_allocated`, in MB. */
  readonly peakMb: number;
}

/** The GPU of the run. */
export const PUBLISHED_GPU = "RTX 4090";

/** The rows, as they were published. */
export const PUBLISHED: readonly PublishedRow[] = [
  { rung: "recompute", msPerToken: 11.1, peakMb: 430.81 },
  { rung: "concatenate", msPerToken: 7.4, peakMb: 421.29 },
  { rung: "blocks", msPerToken: 1.3, peakMb: 413.98 },
];

/** Differences from the ladder. */
export const PUBLISHED_DIFFERENCES: readonly string[] = [
  inEnglish`from the cache to vLLM, rungs 3 to 6 are one step, whose whole gain is called that of paging`,
  inEnglish`the cached loop feeds only the prompt's last token`,
  inEnglish`vLLM's memory is another process's, which max_memory_allocated does not see`,
  inEnglish`tokens are sampled at T = 0.7; here they are chosen greedily`,
  inEnglish`another GPU, another model, and PyTorch`,
];

/** Returns the published row beside a rung. */
export function publishedBeside(name: RungName): PublishedRow | undefined {
  return PUBLISHED.find(({ rung }) => rung === name);
}
