/** The record of a conformance run, and the table of it in `docs/conformance.md`. */
import type { SelfTest } from "../../src/check/selftest_result.ts";
import { error } from "../../src/report/selftest_table.ts";

/** The results of one implementation. */
export interface ImplementationRecord {
  readonly title: string;
  readonly adapter: string;
  /** Features of {@linkcode FEATURES} that the device was opened with. */
  readonly features: readonly string[];
  /** Extent of the self-test: with every variant of a kernel, or the quick one. */
  readonly self_test: "whole" | "quick";
  /** Results by kernel, over all variants that were tested. */
  readonly kernels: Readonly<Record<string, KernelRecord>>;
  /** The kernel and model tests; absent where they were not run. */
  readonly tests?: TestsRecord;
}

/** The results of tests. */
export interface TestsRecord {
  readonly files: number;
  readonly passed: number;
  /** Names of the tests that failed. */
  readonly failed: readonly string[];
}

/** The results of a kernel. */
interface KernelRecord {
  /** The largest absolute difference from the reference; null where it is infinite, or nothing was computed. */
  readonly largest_error: number | null;
  readonly right: boolean;
}

/** A run over all implementations. */
export interface ConformanceRecord {
  readonly kvbench: string;
  readonly deno: string;
  readonly implementations: readonly ImplementationRecord[];
}

const FEATURES = ["shader-f16", "subgroups", "timestamp-query"];

/** Makes the record of an implementation from its self-test. */
export function recordOf(
  title: string,
  { environment, checks }: SelfTest,
  selfTest: "whole" | "quick",
): ImplementationRecord {
  const kernels: Record<string, KernelRecord> = {};
  for (const { kernel, largest_error, verdict } of checks) {
    const before = kernels[kernel] ?? { largest_error: 0, right: true };
    kernels[kernel] = {
      largest_error: before.largest_error === null || largest_error === null
        ? null
        : Math.max(before.largest_error, largest_error),
      right: before.right && verdict === "right",
    };
  }
  const { adapter } = environment;
  return {
    title,
    self_test: selfTest,
    adapter: adapter.description,
    features: FEATURES.filter((name) => adapter.features.includes(name)),
    kernels,
  };
}

/** Returns the table of `docs/conformance.md`. */
export function supportTable({ deno, implementations }: ConformanceRecord): string {
  const row = (what: string, cell: (each: ImplementationRecord) => string) =>
    `| ${[what, ...implementations.map(cell)].join(" | ")} |`;
  const most = implementations.map((each) => Object.keys(each.kernels)).sort((a, b) => b.length - a.length);
  const kernels = most[0] ?? [];
  return [
    row("largest error", ({ title }) => title),
    row("---", () => "---:"),
    ...kernels.map((kernel) =>
      row(kernel.endsWith(".wgsl") ? `\`${kernel}\`` : kernel, ({ kernels }) => {
        if (kernels[kernel] === undefined) return "not offered";
        const { largest_error, right } = kernels[kernel];
        return right ? error(largest_error) : `**wrong** ${error(largest_error)}`;
      })
    ),
    row("self-test", ({ self_test }) => self_test),
    row("kernel and model tests", ({ tests }) => {
      if (!tests) return "not run";
      const { files, passed, failed } = tests;
      return failed.length === 0
        ? `all ${passed} of ${files} files pass`
        : `**${failed.length} of ${passed + failed.length} fail**`;
    }),
    row("features", ({ features }) => features.join(", ") || "none"),
    row("adapter", ({ adapter }) => `${adapter}, Deno ${deno}`),
  ].join("\n");
}
