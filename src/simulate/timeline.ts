/**
 * The course of a simulation: the use of K/V memory and the number of sequences over time, in a bounded number of
 * equal spans.
 */
import { z } from "../base/zod.ts";
import { amount, amounts } from "../measure/record/fields.ts";

/** The figures that are kept, each the mean over a span of time. */
const COURSES = ["token_states", "reserved", "internal", "external", "free", "sequences"] as const;

type Usage = Readonly<Record<typeof COURSES[number], number>>;

/** Checks a {@linkcode Timeline}. */
export const timelineSchema = z.strictObject({
  span_ms: amount("Length of a span, in ms"),
  token_states: amounts("Tokens whose K and V are stored"),
  reserved: amounts("Tokens reserved for later ones of running sequences"),
  internal: amounts("Tokens reserved for sequences and never used"),
  external: amounts("Tokens free and enough for a waiting request, but in pieces that are too short"),
  free: amounts("Tokens free for other sequences"),
  sequences: amounts("Sequences running"),
});

/** Means over spans of equal length, from the first arrival on. */
type Timeline = z.infer<typeof timelineSchema>;

/** Most spans: pairs are joined where there would be more. */
const MOST_SPANS = 256;

/** Collects a timeline while its end is not known. */
export class TimelineBuilder {
  #spanMs = 1;
  #sums = COURSES.map(() => new Float64Array(MOST_SPANS));
  #used = 0;

  /** Adds what holds from `startMs` to `endMs`. */
  add(usage: Usage, startMs: number, endMs: number): void {
    while (endMs > MOST_SPANS * this.#spanMs) this.#halve();
    const span = this.#spanMs;
    for (let i = Math.floor(startMs / span); i < Math.ceil(endMs / span); i++) {
      const ms = Math.min(endMs, (i + 1) * span) - Math.max(startMs, i * span);
      COURSES.forEach((name, course) => this.#sums[course]![i]! += usage[name] * ms);
      this.#used = Math.max(this.#used, i + 1);
    }
  }

  /** Returns the means so far; time without a step counts as zero. */
  get timeline(): Timeline {
    const means = COURSES.map((name, course) =>
      [name, [...this.#sums[course]!.subarray(0, this.#used)].map((sum) => sum / this.#spanMs)] as const
    );
    return timelineSchema.parse({ span_ms: this.#spanMs, ...Object.fromEntries(means) });
  }

  #halve(): void {
    this.#spanMs *= 2;
    this.#used = Math.ceil(this.#used / 2);
    this.#sums = this.#sums.map((sums) =>
      Float64Array.from({ length: MOST_SPANS }, (_, i) => (sums[2 * i] ?? 0) + (sums[2 * i + 1] ?? 0))
    );
  }
}
