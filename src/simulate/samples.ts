/**
 * Raw samples of a long run, eight bytes each, and their summary.
 *
 * @module
 */

/** Percentiles of samples. */
export interface Summary {
  /** Arithmetic mean. */
  readonly mean: number;
  /** Median. */
  readonly p50: number;
  /** 90th percentile. */
  readonly p90: number;
  /** 99th percentile. */
  readonly p99: number;
  /** The largest. */
  readonly max: number;
}

/** A list of numbers that grows. */
export class Samples {
  #values = new Float64Array(1024);
  #length = 0;

  /** Samples taken. */
  get length(): number {
    return this.#length;
  }

  /** Takes a sample. */
  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  /** The samples' percentiles, by the nearest rank; undefined where there are none. */
  summary(): Summary | undefined {
    if (this.#length === 0) return undefined;
    const sorted = this.#values.slice(0, this.#length).sort();
    const at = (p: number) => sorted[Math.max(0, Math.ceil(p / 100 * sorted.length) - 1)]!;
    const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
    return { mean, p50: at(50), p90: at(90), p99: at(99), max: at(100) };
  }
}
