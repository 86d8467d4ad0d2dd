/**
 * A sweep that is killed, interrupted and terminated in turn loses nothing that was measured, leaves a whole file each
 * time, and is finished by `--resume`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type BenchResult, parseResult } from "../src/measure/record/result.ts";
import { claimResult } from "../src/cli/session/result_file.ts";
import { ignore, inScratch, kvbench, MOD, namesIn, stdoutOf, WEIGHTS } from "./cli_support.ts";

const RUNS = 20;
const SWEEP = [
  ...[
    "bench",
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

async function read(path: string): Promise<BenchResult> {
  return parseResult(JSON.parse(await Deno.readTextFile(path)), path);
}

/** Measured runs, those of a group that isn't finished included. */
function runsIn({ groups, unfinished }: BenchResult): number {
  return groups.reduce((sum, { order }) => sum + order.length, 0) + (unfinished?.order.length ?? 0);
}

/** Starts kvbench, sends it `signal` as soon as the file at `path` has grown, and waits for its end. */
async function stopWith(
  signal: Deno.Signal,
  args: readonly string[],
  path: string,
): Promise<Deno.CommandStatus & { stderr: string }> {
  const before = await read(path).then(runsIn, () => 0);
  const folder = path.slice(0, path.lastIndexOf("/"));
  const permissions = [`--allow-read=${WEIGHTS},${folder}`, `--allow-write=${folder}`];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", ...permissions, MOD, ...args],
    env: { NO_COLOR: "1", XDG_RUNTIME_DIR: Deno.env.get("XDG_RUNTIME_DIR") ?? "/tmp" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  let ended = false;
  const status = child.status.finally(() => ended = true);
  // Whatever stands in the file is whole at every moment.
  while (!ended && await read(path).then(runsIn, ignoreMissing) <= before) await pause(50);
  if (!ended) child.kill(signal);
  return { ...await status, stderr: await stderr };
}

function ignoreMissing(error: unknown): number {
  if (error instanceof Deno.errors.NotFound) return 0;
  throw error;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("A sweep goes on where SIGKILL, SIGINT and SIGTERM stopped it, and loses no measured run", {
  ignore: ignore || Deno.build.os === "windows",
}, async () => {
  await inScratch(async (folder) => {
    const path = `${folder}/sweep.json`;
    const killed = await stopWith("SIGKILL", [...SWEEP, "--json", path], path);
    assert.equal(killed.signal, "SIGKILL");
    let kept = await read(path);
    assert.ok(!kept.complete && runsIn(kept) > 0);

    for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      const stopped = await stopWith(signal, ["bench", "--resume", path], path);
      assert.equal(stopped.code, code, stopped.stderr);
      assert.match(
        stopped.stderr,
        /^kvbench: Interrupted with \d of 2 cells measured, in .+\. Resume with: kvbench bench --resume .+$/m,
      );
      const now = await read(path);
      assert.ok(!now.complete && runsIn(now) > runsIn(kept));
      assert.deepEqual(now.cells.slice(0, kept.cells.length), kept.cells);
      kept = now;
    }

    const rest = { write: folder };
    const stdout = await stdoutOf(["bench", "--resume", path], rest);
    assert.match(stdout, /^prompt 22, 4 new, batch 2/m);
    const whole = await read(path);
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
    assert.ok((await read(path)).complete);
    assert.deepEqual(namesIn(folder).filter((name) => name.endsWith(".lock")), []);
  });
});
