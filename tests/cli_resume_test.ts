/**
 * A sweep that is killed, interrupted and terminated in turn loses nothing that was measured, leaves a whole file each
 * time, and is finished by `--resume`.
 */
import assert from "node:assert/strict";
import type { BenchResult } from "../src/measure/record/result.ts";
import { claimResult } from "../src/cli/session/result_file.ts";
import { ignore, inScratch, kvbench, namesIn, resultAt, signalled, stdoutOf } from "./cli_support.ts";

const RUNS = 20;
const SWEEP = [
  ...[
    "bench",
    "--no-autotune",
    "--strategies",
    "kv-cache",
    "--new-tokens",
    "4",
    "--runs",
    String(RUNS),
    "--warmup",
    "1",
  ],
  ...["--sweep", "batch=1,2"],
];

/** Measured runs, those of a group that isn't finished included. */
function runsIn({ groups, unfinished }: BenchResult): number {
  return groups.reduce((sum, { order }) => sum + order.length, 0) + (unfinished?.order.length ?? 0);
}

/** Sends kvbench `signal` as soon as the file at `path` has grown, which is whole at every moment. */
async function stopWith(signal: Deno.Signal, args: readonly string[], path: string) {
  const before = await resultAt(path).then(runsIn, () => 0);
  return await signalled(signal, args, path, async () => {
    return await resultAt(path).then(runsIn, ignoreMissing) > before;
  });
}

function ignoreMissing(error: unknown): number {
  if (error instanceof Deno.errors.NotFound) return 0;
  throw error;
}

Deno.test("A sweep goes on where SIGKILL, SIGINT and SIGTERM stopped it, and loses no measured run", {
  ignore: ignore || Deno.build.os === "windows",
}, async () => {
  await inScratch(async (folder) => {
    const path = `${folder}/sweep.json`;
    const killed = await stopWith("SIGKILL", [...SWEEP, "--json", path], path);
    assert.equal(killed.signal, "SIGKILL");
    let kept = await resultAt(path);
    assert.ok(!kept.complete && runsIn(kept) > 0);

    for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      const stopped = await stopWith(signal, ["bench", "--resume", path], path);
      assert.equal(stopped.code, code, stopped.stderr);
      assert.match(
        stopped.stderr,
        /^kvbench: Interrupted with \d of 2 cells measured, in .+\. Resume with: kvbench bench --resume .+$/m,
      );
      const now = await resultAt(path);
      assert.ok(!now.complete && runsIn(now) > runsIn(kept));
      assert.deepEqual(now.cells.slice(0, kept.cells.length), kept.cells);
      kept = now;
    }

    const rest = { write: folder };
    const stdout = await stdoutOf(["bench", "--resume", path], rest);
    assert.match(stdout, /^prompt 22, 4 new, batch 2/m);
    const whole = await resultAt(path);
    assert.ok(whole.complete && whole.unfinished === null);
    assert.deepEqual(whole.groups.map(({ order }) => order.length), Array(2).fill(RUNS));
    assert.equal(whole.cells.length, 2);
    for (const { ttft_ms } of whole.cells) assert.equal(ttft_ms.samples.length, RUNS);
    assert.deepEqual(whole.cells.slice(0, kept.cells.length), kept.cells);

    const again = await kvbench(["bench", "--resume", path], rest);
    assert.deepEqual([again.code, again.stdout], [2, ""]);
    assert.match(again.stderr, /^kvbench: .+ is complete: expected an interrupted result\n$/);
    const mixed = await kvbench(["bench", "--resume", path, "--runs", "3"], rest);
    assert.match(mixed.stderr, /^kvbench: --resume takes every option from the result: expected no --runs/);

    const elsewhere = { ...kept, environment: { ...kept.environment, kernels_sha256: "0".repeat(64) } };
    await Deno.writeTextFile(path, JSON.stringify(elsewhere));
    const other = await kvbench(["bench", "--resume", path], rest);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /^kvbench: Cannot go on with .+: it was begun with another kernels\..+\n$/);
    // A kill in the middle of a write may leave what was being written aside, never in the result's place.
    assert.deepEqual(namesIn(folder).filter((name) => !name.startsWith(".")), ["sweep.json"]);
  });
});

Deno.test("A result is written by one run at a time, and by the next when that one has ended", {
  ignore: ignore || Deno.build.os === "windows",
}, async () => {
  await inScratch(async (folder) => {
    const path = `${folder}/sweep.json`;
    await stopWith("SIGKILL", [...SWEEP, "--json", path], path);
    const rest = { write: folder };
    {
      using _claim = await claimResult(path);
      for (const args of [["bench", "--resume", path], [...SWEEP, "--json", path]]) {
        const { code, stdout, stderr } = await kvbench(args, rest);
        assert.deepEqual([code, stdout], [1, ""]);
        assert.match(stderr, /^kvbench: .+\.json is being written by another run: expected its end\n$/);
      }
    }
    await stdoutOf(["bench", "--resume", path], rest);
    assert.ok((await resultAt(path)).complete);
    assert.deepEqual(namesIn(folder).filter((name) => name.endsWith(".lock")), []);
  });
});
