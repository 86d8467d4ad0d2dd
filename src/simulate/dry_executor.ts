/**
 * An executor that computes nothing: its clock adds the shortest time of each step on a given GPU by the roofline
 * model (Williams et al. 2009), the longer of reading all bytes and doing all multiplications. Its times are bounds for
 * comparing policies, not measurements.
 */
import type { Executor } from "../engine/scheduler/executor.ts";
import type { Move, SlotRange } from "../kv/moves.ts";
import type { KvPolicy } from "../kv/policy.ts";
import type { Step } from "../engine/scheduler/step.ts";
import type { Hardware } from "./hardware.ts";
import type { ModelShape } from "./model_shape.ts";

/** An executor with a modelled clock. */
export class DryExecutor implements Executor {
  nowMs = 0;
  readonly #hardware: Hardware;
  readonly #policy: Pick<KvPolicy, "entries">;
  readonly #kvTokenBytes: number;
  readonly #weightBytes: number;
  readonly #flopsPerRow: number;
  readonly #flopsPerContext: number;

  /** Starts the clock at 0 ms. */
  constructor(hardware: Hardware, shape: ModelShape, policy: Pick<KvPolicy, "entries">) {
    this.#policy = policy;
    this.#hardware = hardware;
    this.#kvTokenBytes = shape.kvTokenBytes;
    this.#weightBytes = shape.weightBytes;
    this.#flopsPerRow = 2 * shape.parameters;
    this.#flopsPerContext = 4 * shape.nLayer * shape.width; // a score and a weighted sum per position
  }

  until(ms: number): void {
    this.nowMs = Math.max(this.nowMs, ms);
  }

  /** Adds the step's time. */
  run({ nRows, spans, nRunning, moves }: Step): void {
    const { bytesPerSecond, flopsPerSecond, hostBytesPerSecond, overheadMs } = this.#hardware;
    // Within a span of several rows each attends to less than the span's end: an upper bound, by half of the span.
    const nContext = spans.reduce(
      (sum, { sequence, first, count }) => sum + this.#policy.entries(first + count, sequence.number),
      0,
    );
    const bytes = this.#weightBytes + this.#kvTokenBytes * nContext;
    const flops = this.#flopsPerRow * nRows + this.#flopsPerContext * nContext;
    let seconds = nRows === 0 ? 0 : Math.max(bytes / bytesPerSecond, flops / flopsPerSecond);
    for (const move of moves) {
      const copied = move.kind === "copy"
        ? move.count
        : move.kind === "resize"
        ? move.keep * nRunning
        : undefined;
      seconds += copied !== undefined
        ? 2 * copied * this.#kvTokenBytes / bytesPerSecond
        : slotsSwapped(move) * this.#kvTokenBytes / hostBytesPerSecond;
    }
    this.nowMs += 1000 * seconds + overheadMs;
  }
}

function slotsSwapped(move: Move): number {
  const count = (ranges: readonly SlotRange[]) => ranges.reduce((sum, range) => sum + range.count, 0);
  return move.kind === "out" || move.kind === "in" ? count(move.swapped.from) : 0;
}
