/** Results that may stand beside each other: those of one plan and model. */
import { isDeepEqual } from "../../base/equal.ts";
import { KvbenchError } from "../../base/errors.ts";
import type { BenchResult } from "./result.ts";

/** A result with the name of its file. */
export interface NamedResult {
  readonly path: string;
  readonly result: BenchResult;
}

/** Tells whether all results are of one plan and model; shards of a plan count as the plan. */
export function areOfOnePlan(results: readonly Pick<BenchResult, "plan" | "model">[]): boolean {
  return results.every((result) => differenceOf(results[0]!, result) === undefined);
}

/**
 * Checks that a result is of the same plan and model as another.
 *
 * @param options.what Names what is to be done with the file at a path, such as "join a.json".
 * @param options.expected Names such results.
 * @throws {KvbenchError} With the name of the result and what differs.
 */
export function assertOfOnePlan(
  first: NamedResult,
  other: NamedResult,
  { what, expected }: { readonly what: (path: string) => string; readonly expected: string },
): void {
  const difference = differenceOf(first.result, other.result);
  if (difference === undefined) return;
  throw new KvbenchError(
    `Cannot ${
      what(other.path)
    }: its ${difference} is another than that of ${first.path}, expected ${expected}`,
  );
}

/** Names what differs between the plans or models of two results, such as `plan.grid.batch`; undefined for nothing. */
function differenceOf(
  { plan: { shard, ...plan }, model }: Pick<BenchResult, "plan" | "model">,
  { plan: { shard: otherShard, ...otherPlan }, model: otherModel }: Pick<BenchResult, "plan" | "model">,
): string | undefined {
  if (shard !== undefined && otherShard !== undefined && shard.of !== otherShard.of) {
    return "number of shards";
  }
  return pathOfDifference({ plan, model }, { plan: otherPlan, model: otherModel }, "");
}

/** Returns the path of the first field that differs, within objects. */
function pathOfDifference(a: unknown, b: unknown, path: string): string | undefined {
  if (isDeepEqual(a, b)) return undefined;
  if (!isRecord(a) || !isRecord(b)) return path;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  const key = [...keys].find((each) => !isDeepEqual(a[each], b[each]))!;
  return pathOfDifference(a[key], b[key], path === "" ? key : `${path}.${key}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
