/**
 * The benchmark runner: measures the groups of a plan one after another and hands the record on as it grows, so that
 * it can be kept. Prints nothing and writes no file.
 */
import type { Model } from "../../model/model.ts";
import { checkPlan, type GroupPlan, groupsOf } from "./grid.ts";
import { type GroupProgress, measureGroup } from "./group.ts";
import type { BenchResult } from "../record/result.ts";

/** Events for a display. */
export interface BenchProgress extends Omit<GroupProgress, "round"> {
  group(index: number, groups: number, cells: GroupPlan): void;
  /** The record has grown by a round of runs, or by a group. */
  record(result: BenchResult): void | Promise<void>;
}

/** Options of {@linkcode runBench}. */
export interface BenchOptions {
  /** Ends the benchmark between two runs when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Returns the text of ids. Default: the record has no text. */
  readonly decode?: ((ids: readonly number[]) => string) | undefined;
  /**
   * Called as it goes. Default: nothing is called.
   *
   * @internal For the displays of kvbench.
   */
  readonly progress?: Partial<BenchProgress>;
}

/**
 * Measures the groups of a record's plan that it does not hold yet.
 *
 * @param record A record with or without measured groups; it is not changed.
 * @returns The record with everything measured, or with what was measured before `signal` was aborted.
 * @throws {UsageError} If the plan does not fit the model.
 * @throws {KvbenchError} If the strategies disagree on a token, or the ledger on a K/V byte.
 */
export async function runBench(
  model: Model,
  record: BenchResult,
  { progress = {}, signal, decode }: BenchOptions = {},
): Promise<BenchResult> {
  const { plan } = record;
  checkPlan(plan, model.config);
  const groups = groupsOf(plan);
  let result = record;
  try {
    for (let index = record.groups.length; index < groups.length; index++) {
      const cells = groups[index]!;
      progress.group?.(index, groups.length, cells);
      const measured = await measureGroup(model, plan, index, cells, {
        signal,
        decode,
        earlier: result.unfinished ?? undefined,
        progress: {
          run: (what, cell) => progress.run?.(what, cell),
          round: async (unfinished) => {
            result = { ...result, unfinished };
            await progress.record?.(result);
          },
        },
      });
      result = {
        ...result,
        complete: index + 1 === groups.length,
        groups: [...result.groups, measured.group],
        cells: [...result.cells, ...measured.cells],
        unfinished: null,
      };
      await progress.record?.(result);
    }
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error;
  }
  return result;
}
