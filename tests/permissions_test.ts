/**
 * Least permissions: each subcommand runs with exactly the flags that are documented, and needs each of them. What
 * a flag only improves is listed apart.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CHART_FLAGS, CHART_READS, ignore, inScratch, kvbench, namesIn } from "./cli_support.ts";

const READ_WEIGHTS = "--allow-read=weights";
const QUICK_BENCH = ["bench", "--runs", "1", "--warmup", "0", "--new-tokens", "2"];

/** Subcommands, and what each needs. `OUT` stands for a folder to write to. */
const LEAST: readonly (readonly [what: string, args: readonly string[], flags: readonly string[]])[] = [
  ["generate", ["generate", "The", "--max-new-tokens", "2"], [READ_WEIGHTS]],
  ["logits", ["logits", "The", "-o", "OUT/l.f32"], ["--allow-read=weights,OUT", "--allow-write=OUT"]],
  ["bench --json -", [...QUICK_BENCH, "--json", "-"], [READ_WEIGHTS]],
  [
    "bench --out",
    [...QUICK_BENCH, "--out", "OUT"],
    [`--allow-read=${["weights", "OUT", ...CHART_READS]}`, "--allow-write=OUT", ...CHART_FLAGS],
  ],
  ["doctor", ["doctor"], [READ_WEIGHTS]],
];

/** What is lost, and not failed at, without a flag of `bench --out`. */
const OPTIONAL = CHART_FLAGS;

const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);

function withFolder(texts: readonly string[], folder: string): string[] {
  return texts.map((text) => text.replaceAll("OUT", folder));
}

for (const [what, args, flags] of LEAST) {
  Deno.test(`kvbench ${what} runs with its documented permissions and needs each of them`, {
    ignore,
  }, async () => {
    await inScratch(async (folder) => {
      const run = (given: readonly string[]) =>
        kvbench(withFolder(args, folder), { flags: withFolder(given, folder), cwd: ROOT });
      const { code, stderr } = await run(flags);
      assert.equal(code, 0, stderr);
      if (what === "bench --out") assert.equal(namesIn(folder).length, 3); // JSON, page and chart
      for (const flag of flags) {
        if (OPTIONAL.includes(flag)) continue;
        const without = await run(flags.filter((other) => other !== flag));
        assert.deepEqual([without.code, without.stdout], [1, ""], `without ${flag}`);
        assert.match(without.stderr, /^kvbench: [^\n]*--allow-(read|write)[^\n]*\n$/m);
      }
    });
  });
}

Deno.test("bench without the permissions of charts or of its folder says what it left out, and measures", {
  ignore,
}, async () => {
  await inScratch(async (folder) => {
    const flags = withFolder(["--allow-read=weights,OUT", "--allow-write=OUT"], folder);
    const noChart = await kvbench([...QUICK_BENCH, "--out", folder], { flags, cwd: ROOT });
    assert.equal(noChart.code, 0, noChart.stderr);
    assert.match(noChart.stdout, /Chart: not drawn, that needs --allow-ffi/);
    assert.equal(namesIn(folder).length, 2);

    const nothing = await kvbench(QUICK_BENCH, { flags: [READ_WEIGHTS], cwd: ROOT });
    assert.equal(nothing.code, 0, nothing.stderr);
    assert.match(
      nothing.stdout,
      /Result and chart were not written: that needs --allow-read=kvbench-results/,
    );
  });
});

Deno.test("doctor tells whether models fit a software adapter where it may ask for the system's memory", {
  ignore,
}, async () => {
  const flags = [READ_WEIGHTS, "--allow-sys=systemMemoryInfo"];
  const { code, stdout, stderr } = await kvbench(["doctor", "--json"], { flags, cwd: ROOT });
  assert.equal(code, 0, stderr);
  const { adapter, memory, models } = JSON.parse(stdout);
  if (!adapter.software) return assert.equal(memory.available_bytes, null);
  assert.ok(memory.available_bytes > 0);
  assert.notEqual(models[0].fits, "unknown");
});
