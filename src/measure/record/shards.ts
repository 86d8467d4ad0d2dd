/**
 * Shards of one benchmark: results that measured parts of the same plan, on machines that are alike, become the result
 * that one machine would have written.
 */
import { KvbenchError } from "../../base/errors.ts";
import { cellKey } from "../run/grid.ts";
import type { Plan } from "../run/plan.ts";
import { assertOfOnePlan, type NamedResult } from "./one_plan.ts";
import type { BenchResult } from "./result.ts";

/** A shard with its place among the others. */
type Shard = NamedResult & { readonly shard: NonNullable<Plan["shard"]> };

/**
 * Joins the shards of each run: those of one plan, model, commit and adapter. Other results stay as they are.
 *
 * @returns The results, each run at the place of its first shard, and notes on shards that are missing.
 * @throws {KvbenchError} If shards are of different plans or models, or one is there twice.
 */
export function mergeShards(
  results: readonly NamedResult[],
): { readonly results: NamedResult[]; readonly notes: string[] } {
  const shards = results.flatMap((each): Shard[] => {
    const { shard } = each.result.plan;
    return shard === undefined ? [] : [{ ...each, shard }];
  });
  for (const shard of shards) {
    assertOfOnePlan(shards[0]!, shard, {
      what: (path) => `join ${path}`,
      expected: "shards of one plan and model",
    });
  }
  const runs = Map.groupBy(shards, ({ result }) => JSON.stringify(machineOf(result)));
  const first = new Map([...runs.values()].map((run) => [run[0]!.path, run]));
  const notes: string[] = [];
  return {
    results: results.flatMap((each) => {
      if (each.result.plan.shard === undefined) return [each];
      const run = first.get(each.path);
      return run === undefined ? [] : [{ path: each.path, result: joined(run, notes) }];
    }),
    notes,
  };
}

/** Facts that the shards of one run share, besides plan and model. */
function machineOf({ environment: { adapter, ...environment } }: BenchResult): unknown {
  const { description, vendor, device, backend } = adapter;
  const { kvbench, git_commit, kernels_sha256 } = environment;
  return { kvbench, git_commit, kernels_sha256, description, vendor, device, backend };
}

function joined(run: readonly Shard[], notes: string[]): BenchResult {
  const { of } = run[0]!.shard;
  const byIndex = new Map<number, Shard>();
  for (const each of run) {
    const twin = byIndex.get(each.shard.index);
    if (twin !== undefined) {
      throw new KvbenchError(
        `Cannot join ${each.path}: it is shard ${each.shard.index}/${of} as ${twin.path} is, expected each once`,
      );
    }
    byIndex.set(each.shard.index, each);
  }
  const missing = Array.from({ length: of }, (_, i) => i + 1).filter((index) => !byIndex.has(index));
  const { environment: { adapter } } = run[0]!.result;
  if (missing.length > 0) {
    notes.push(
      `Of ${of} shards on ${adapter.description}, ${missing.join(", ")} are missing: the run is not complete`,
    );
  }
  // The groups of a plan were dealt out one by one: see `groupsOf()`.
  const groups = run.flatMap(({ result, shard }) =>
    result.groups.map((group, i) => ({
      place: i * of + shard.index,
      group,
      cells: result.cells.filter((cell) => cell.group === i),
    }))
  ).sort((a, b) => a.place - b.place);
  const results = run.map(({ result }) => result);
  const { shard: _, ...plan } = results[0]!.plan;
  return {
    ...results[0]!,
    created: results.map(({ created }) => created).sort()[0]!,
    complete: missing.length === 0 && results.every(({ complete }) => complete),
    plan,
    self_check: results.every(({ self_check }) => self_check !== null)
      ? firstOfEach(results.flatMap(({ self_check }) => self_check!), (check) => JSON.stringify(check))
      : null,
    accuracy: firstOfEach(results.flatMap(({ accuracy }) => accuracy), ({ kv_dtype }) => kv_dtype),
    quality: firstOfEach(results.flatMap(({ quality }) => quality), cellKey),
    sequences: results.find(({ sequences }) => sequences !== null)?.sequences ?? null,
    start: null, // each has its own
    groups: groups.map(({ group }) => group),
    cells: groups.flatMap(({ cells }, i) => cells.map((cell) => ({ ...cell, group: i }))),
    unfinished: null,
  };
}

/** Leaves the first item of each key. */
function firstOfEach<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return [...Map.groupBy(items, keyOf).values()].map(([first]) => first!);
}
