/** An axis that all dots of a column share. */
import type { Estimate } from "../../measure/findings/adapters.ts";

/** An axis from 0 to 1. */
export interface DotAxis {
  /** Place of a value. */
  at(value: number): number;
  /** Values that are labelled, at most three. */
  readonly ticks: readonly number[];
  /** Value that stands for no difference, if the column has one. */
  readonly rule: number | undefined;
}

/** Share of the axis that is left free on each side. */
const MARGIN = 0.06;

/**
 * Makes the axis of estimates with their intervals.
 *
 * @param options.log True for a logarithmic axis, which needs positive values.
 * @param options.rule Value that stands for no difference, which the axis then has.
 * @returns Undefined where there is nothing to show.
 */
export function dotAxis(
  estimates: readonly (Estimate | null)[],
  { log, rule }: { readonly log: boolean; readonly rule?: number },
): DotAxis | undefined {
  const values = estimates.flatMap((each) => each === null ? [] : [each.value, ...each.interval ?? []]);
  if (values.length === 0) return undefined;
  const to = log ? Math.log10 : (value: number) => value;
  const ends = [...values, ...rule === undefined ? [] : [rule]].map(to);
  const low = Math.min(...ends), high = Math.max(...ends), span = high - low || 1;
  const at = (value: number) => MARGIN + (1 - 2 * MARGIN) * (high === low ? 0.5 : (to(value) - low) / span);
  const from = log ? (place: number) => 10 ** place : (place: number) => place;
  return { at, ticks: roundValues(from(low), from(high), log), rule };
}

/** Finds at most three round values between two. */
function roundValues(low: number, high: number, log: boolean): number[] {
  for (const step of stepsOf(low, high, log)) {
    const found = step.filter((value) => value >= low && value <= high);
    if (found.length <= 3) return found;
  }
  return [];
}

/** Yields ever coarser lists of round values. */
function* stepsOf(low: number, high: number, log: boolean): Generator<number[]> {
  const finest = Math.floor(Math.log10(Math.max(high - low, Number.MIN_VALUE))) - 1;
  const powers = Array.from({ length: 24 }, (_, i) => i - 12);
  if (log && high / low > 3) {
    for (const leading of [[1, 2, 5], [1, 3], [1]]) {
      yield powers.flatMap((power) => leading.map((digit) => digit * 10 ** power));
    }
  }
  for (let power = finest; power < finest + 4; power++) {
    for (const digit of [1, 2, 5]) {
      const step = digit * 10 ** power, first = Math.ceil(low / step);
      yield Array.from(
        { length: Math.min(100, Math.floor(high / step) - first + 1) },
        (_, i) => Number(((first + i) * step).toPrecision(12)),
      );
    }
  }
}
