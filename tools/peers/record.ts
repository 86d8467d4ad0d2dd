/**
 * The record of a comparison: what each peer is, whether its output is right, and the raw samples of every round.
 */
import type { MachineFacts } from "../../src/measure/record/environment.ts";
import { median, medianInterval } from "../../src/measure/statistics/statistics.ts";
import type { Ready, Storage, Timed } from "./peer.ts";

/** The lengths of prompts, and of the contexts that steps are behind. */
export const LENGTHS = [128, 512] as const;
/** The things that are timed, in the order of tables. */
export const MEASURES = ["decode_128", "decode_512", "prefill_128", "prefill_512"] as const;
/** The name of one. */
export type Measure = typeof MEASURES[number];

/** A time of a round. */
export interface Sample extends Timed {
  readonly round: number;
}

/** A comparison of an output with the float64 reference. */
export interface Check {
  readonly of: "logits" | "product";
  /** The largest absolute difference. */
  readonly deviation: number;
  readonly right: boolean;
}

/** A peer with weights in a storage type. */
export interface PeerRecord {
  readonly peer: string;
  readonly storage: Storage;
  /** Undefined where it could not be started. */
  readonly ready?: Ready;
  readonly check?: Check;
  readonly peak_bytes?: number | null;
  readonly samples: Readonly<Partial<Record<Measure, readonly Sample[]>>>;
  /** The reason why it was not measured, or no further. */
  readonly failed?: string;
  /** The measures that it was too slow for. */
  readonly skipped?: string;
}

/** A run of all. */
export interface PeersRecord {
  readonly kvbench: string;
  readonly date: string;
  readonly machine: MachineFacts;
  readonly rounds: number;
  readonly peers: readonly PeerRecord[];
}

/** The median of rounds' ratios, with its 95 % interval. */
interface TurnsRatio {
  readonly ratio: number;
  readonly interval: readonly [number, number];
  /** Rounds that have both times. */
  readonly rounds: number;
}

/** Relates the times of two peers round by round, of the rounds that have both; undefined where there are none. */
export function ratioInTurns(above: PeerRecord, below: PeerRecord, measure: Measure): TurnsRatio | undefined {
  const others = new Map(below.samples[measure]?.map(({ round, ms }) => [round, ms]));
  const ratios = (above.samples[measure] ?? []).flatMap(({ round, ms }) =>
    others.has(round) ? [ms / others.get(round)!] : []
  );
  return ratios.length === 0
    ? undefined
    : { ratio: median(ratios), interval: medianInterval(ratios), rounds: ratios.length };
}

/** The median time of a measure, undefined where there is none. */
export function medianMs({ samples }: PeerRecord, measure: Measure): number | undefined {
  const times = samples[measure]?.map(({ ms }) => ms) ?? [];
  return times.length === 0 ? undefined : median(times);
}

/**
 * Compares an output with its reference. Both are moved to a mean of 0 before, since some programs tell probabilities
 * alone, whose logarithms are logits up to a constant.
 *
 * @param tolerance The largest difference that rounding explains.
 */
export function checkOf(
  of: Check["of"],
  values: ArrayLike<number>,
  reference: ArrayLike<number>,
  tolerance: number,
): Check {
  if (values.length !== reference.length) {
    throw new Error(`It gave ${values.length} values, expected ${reference.length}`);
  }
  let shift = 0;
  for (let i = 0; i < values.length; i++) shift += (values[i]! - reference[i]!) / values.length;
  let deviation = 0;
  for (let i = 0; i < values.length; i++) {
    const difference = Math.abs(values[i]! - reference[i]! - shift);
    if (!(difference <= deviation)) deviation = difference; // NaN is a deviation
  }
  return { of, deviation, right: deviation <= tolerance };
}
