/**
 * `deno task conformance [ID…]`: the self-test and the kernel and model tests, unchanged, on every implementation of
 * WebGPU or on those that are named; writes `docs/conformance.json` and the table of it in `docs/conformance.md`.
 */
import { fileURLToPath } from "node:url";
import { parseSelfTest, type SelfTest } from "../../src/check/selftest_result.ts";
import { VERSION } from "../../src/base/version.ts";
import { environmentOf, type Implementation, IMPLEMENTATIONS } from "./implementations.ts";
import { deno, ROOT, run } from "../command.ts";
import { withPart } from "../marked_part.ts";
import {
  type ConformanceRecord,
  type ImplementationRecord,
  recordOf,
  supportTable,
  type TestsRecord,
} from "./record.ts";

/** The record of the last run. */
export const RECORD: string = `${ROOT}docs/conformance.json`;
/** The page that shows it. */
export const PAGE: string = `${ROOT}docs/conformance.md`;

/** Module that has Dawn ask for news of the GPU less often. */
const DAWN_TICKS = fileURLToPath(new URL("dawn_ticks.ts", import.meta.url));

/** Arguments of Deno that an implementation needs. */
function ticksOf({ webgpu }: Implementation): string[] {
  return webgpu === "dawn" ? [`--preload=${DAWN_TICKS}`] : [];
}

/** The kernel and model tests. */
const TESTS: readonly string[] = [
  "argmax_kernels",
  "attention_kernels",
  "concurrent_kernels",
  "embedding_kernel",
  "golden",
  "kept_kernels",
  "kernel_errors",
  "kv_write_kernel",
  "default_limits",
  "layer_norm_kernel",
  "linear_kernels",
  "model",
  "probe_kernels",
  "rotate_kernel",
  "sampling",
  "stored_kv",
  "strategies",
];
/** The quick ones, for slow implementations. */
export const QUICK_TESTS: readonly string[] = [
  "concurrent_kernels",
  "embedding_kernel",
  "kv_write_kernel",
  "layer_norm_kernel",
  "probe_kernels",
];

/**
 * Runs the self-test in a child.
 *
 * @throws {Error} If it ends without a record.
 */
export async function selfTestOn(implementation: Implementation, ...options: string[]): Promise<SelfTest> {
  const args = [
    "run",
    "--no-prompt",
    "-A",
    ...ticksOf(implementation),
    "mod.ts",
    "selftest",
    "--json",
    ...options,
  ];
  const { stdout, stderr } = await run(Deno.execPath(), args, { env: await environmentOf(implementation) });
  try {
    return parseSelfTest(JSON.parse(stdout), implementation.title);
  } catch (error) {
    throw new Error(`selftest on ${implementation.title}: ${stderr.trim() || stdout}`, { cause: error });
  }
}

/**
 * Runs tests in a child.
 *
 * @param options More options of `deno test`.
 * @throws {Error} If it ends without having run any.
 */
export async function testsOn(
  implementation: Implementation,
  names: readonly string[],
  ...options: string[]
): Promise<TestsRecord> {
  const junit = await Deno.makeTempFile({ prefix: "kvbench_", suffix: ".xml" });
  try {
    const args = [
      "test",
      "--no-prompt",
      "--no-check",
      "--parallel",
      "-A",
      `--junit-path=${junit}`,
      ...options,
      ...ticksOf(implementation),
      ...names.map((name) => `tests/${name}_test.ts`),
    ];
    const { stdout, stderr } = await run(Deno.execPath(), args, { env: await environmentOf(implementation) });
    const cases = (await Deno.readTextFile(junit)).split("<testcase ").slice(1);
    if (cases.length === 0) throw new Error(`Tests on ${implementation.title}: ${stderr.trim() || stdout}`);
    const failed = cases.filter((text) => text.includes("<failure"));
    return {
      files: names.length,
      passed: cases.length - failed.length,
      failed: failed.map((text) => /name="([^"]*)"/.exec(text)?.[1] ?? text),
    };
  } finally {
    await Deno.remove(junit);
  }
}

/** The last record, or one of nothing. */
async function lastRecord(): Promise<ConformanceRecord> {
  try {
    return JSON.parse(await Deno.readTextFile(RECORD));
  } catch {
    return { kvbench: VERSION, deno: Deno.version.deno, implementations: [] };
  }
}

/** Adds the results of one implementation to the record and to its page. */
async function keep(fresh: ImplementationRecord): Promise<void> {
  const { implementations: before } = await lastRecord();
  const implementations = IMPLEMENTATIONS.flatMap(({ title }) =>
    title === fresh.title ? [fresh] : before.filter((each) => each.title === title)
  );
  const record = { kvbench: VERSION, deno: Deno.version.deno, implementations };
  await Deno.writeTextFile(RECORD, JSON.stringify(record, null, 2) + "\n");
  const page = await Deno.readTextFile(PAGE);
  await Deno.writeTextFile(PAGE, withPart(page, "conformance", supportTable(record)));
  await deno(["fmt", "--quiet", PAGE, RECORD]);
}

if (import.meta.main) {
  const chosen = IMPLEMENTATIONS.filter(({ id }) => Deno.args.length === 0 || Deno.args.includes(id));
  let right = chosen.length > 0;
  for (const implementation of chosen) {
    const { title, slow = false } = implementation;
    const selfTest = slow ? "quick" : "whole", names = slow ? QUICK_TESTS : TESTS;
    console.error(`${title}: ${selfTest} self-test`);
    const options = slow ? ["--quick"] : [];
    const record = recordOf(title, await selfTestOn(implementation, ...options), selfTest);
    console.error(`${title}: ${names.length} files of tests`);
    const tests = await testsOn(implementation, names);
    for (const name of tests.failed) console.error(`  failed: ${name}`);
    await keep({ ...record, tests });
    right &&= tests.failed.length === 0 && Object.values(record.kernels).every(({ right }) => right);
  }
  console.error(
    right ? "All pass" : `Not all pass on ${chosen.map(({ id }) => id).join(", ") || "none of these"}`,
  );
  if (!right) Deno.exit(1);
}
