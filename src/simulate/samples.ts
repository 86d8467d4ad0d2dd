/** Raw samples of a long run, eight bytes each, and their percentiles. */

/** Mean, percentiles and maximum of samples. */
export type Percentiles = Readonly<Record<"mean" | "p50" | "p90" | "p99" | "max", number>>;

/** Returns a percentile by the nearest rank; `sorted` ascends and has a number. */
export function nearestRank(sorted: ArrayLike<number>, percent: number): number {
  return sorted[Math.max(0, Math.ceil(percent / 100 * sorted.length) - 1)]!;
}

/** A list of numbers that grows. */
export class Samples {
  #values = new Float64Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  /** Returns the percentiles by the nearest rank; null without samples. */
  percentiles(): Percentiles | null {
    if (this.#length === 0) return null;
    const sorted = this.#values.slice(0, this.#length).sort();
    const at = (p: number) => nearestRank(sorted, p);
    const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
    return { mean, p50: at(50), p90: at(90), p99: at(99), max: at(100) };
  }
}
