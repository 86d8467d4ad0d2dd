/**
 * What GPU tests share: one GPU per test file, and comparisons that say where and by how much two arrays differ.
 */
import assert from "node:assert/strict";
import { compare, type Comparison, describeComparison, isRight } from "../src/base/comparison.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { hasSubgroups, holdsLanes } from "../src/gpu/subgroups.ts";
import { openGpu } from "../src/host/gpu.ts";
import type { Tuning } from "../src/model/tuning.ts";
import { permitted } from "./permitted.ts";

// Opening takes a tenth of a second, so that a file's tests share one GPU.
let opened: Promise<Gpu> | undefined;

/** Tells whether the file's device has the subgroups that a tuning is for. */
export async function deviceRuns({ subgroups, broadcastRows }: Tuning): Promise<boolean> {
  const { device, facts } = await (opened ??= openGpu());
  return (!subgroups || hasSubgroups(device)) && (!broadcastRows || holdsLanes(facts.subgroupLanes, 8));
}

/**
 * Registers a test that gets the file's GPU. The test fails where there is no adapter, where the device has
 * reported an error, and where a buffer is still alive at its end.
 *
 * @param options `needs`: permissions without which the test is ignored; `ignored`: whether it is anyway.
 */
export function gpuTest(
  name: string,
  body: (gpu: Gpu) => Promise<void> | void,
  { needs = [], ignored = false }: {
    readonly needs?: readonly Deno.PermissionName[];
    readonly ignored?: boolean;
  } = {},
): void {
  const ignore = ignored || !permitted(...needs);
  Deno.test({ name, ignore }, async () => {
    const gpu = await (opened ??= openGpu());
    try {
      await body(gpu);
      gpu.assertHealthy();
      gpu.ledger.assertEmpty();
    } catch (error) {
      opened = undefined; // what this test left behind must not fail the next one
      throw error;
    }
  });
}

/**
 * Checks that every element is within `tolerance`, and that what is expected to be NaN, poison that no kernel may
 * touch, still is.
 *
 * @param width Columns of a row, for the message.
 */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { name, ...options }: { tolerance: number; name: string; width?: number },
): void {
  assertRight(compare(actual, expected, { what: name, ...options }));
}

/** Checks that rounding explains every difference that was found. */
export function assertRight(...comparisons: readonly Comparison[]): void {
  for (const comparison of comparisons) assert.ok(isRight(comparison), describeComparison(comparison));
}
