/**
 * The examples of a fleet as they stand in `docs/fleet.md`, on this machine alone: GNU parallel with four local jobs, and
 * the Slurm script with the variables that Slurm would set.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { parseResult } from "../src/measure/record/result.ts";
import { ignore, inScratch, MOD, namesIn, stdoutOf, WEIGHTS } from "./cli_support.ts";

const QUICK = ["--no-autotune", "--no-serving", "--runs", "1", "--warmup", "0", "--new-tokens", "2"];
const SWEEP = ["--sweep", "prompt-tokens=2,3,4,5", "--strategies", "kv-cache", ...QUICK];

/** Runs an example with kvbench from this checkout. */
async function example(name: string, args: readonly string[], env: Record<string, string>): Promise<void> {
  const script = fileURLToPath(new URL(`../examples/fleet/${name}`, import.meta.url));
  const flags = `run --no-prompt --cached-only --allow-read --allow-write=${
    args.find((each) => each.startsWith("/"))
  }`;
  const { code, stderr } = await new Deno.Command(script, {
    args: [...args],
    env: { KVBENCH: `${Deno.execPath()} ${flags} ${MOD}`, NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
}

/** Joins the results in a folder as a user does, and returns the run. */
async function joined(folder: string, shards: number) {
  const files = namesIn(folder).map((name) => `${folder}/${name}`);
  assert.equal(files.length, shards);
  const json = await stdoutOf(["report", ...files, "--format", "json"], {
    flags: [`--allow-read=${folder}`],
  });
  return parseResult(JSON.parse(json), "the joined result");
}

/** What runs each example, in how many shards. */
const EXAMPLES: Readonly<Record<string, { shards: number; run(results: string): Promise<void> }>> = {
  "parallel.sh": {
    shards: 4,
    run: (results) => example("parallel.sh", [":", "4", results, ...SWEEP], { JOBS: "4" }),
  },
  "slurm.sh": {
    shards: 2,
    run: async (results) => {
      for (const task of ["5", "6"]) {
        const array = { SLURM_ARRAY_TASK_MIN: "5", SLURM_ARRAY_TASK_COUNT: "2" };
        await example("slurm.sh", [results, ...SWEEP], { ...array, SLURM_ARRAY_TASK_ID: task });
      }
    },
  },
};

for (const [name, { shards, run }] of Object.entries(EXAMPLES)) {
  Deno.test(`examples/fleet/${name} measures a sweep in shards, which report joins into one run`, {
    ignore: ignore || Deno.build.os !== "linux",
  }, async () => {
    await inScratch(async (results) => {
      await run(results);
      const { complete, plan, groups, cells } = await joined(results, shards);
      assert.deepEqual([complete, plan.shard, groups.length], [true, undefined, 4]);
      assert.deepEqual([...new Set(cells.map(({ settings }) => settings.prompt_tokens))], [2, 3, 4, 5]);
    });
  });
}

Deno.test(
  "A shard that has nothing to measure is refused before anything is loaded",
  { ignore },
  async () => {
    const command = stdoutOf(["bench", "--shard", "2/2", "--json", "-", ...QUICK], {
      flags: [`--allow-read=${WEIGHTS}`],
    });
    await assert.rejects(
      command,
      /Shard 2\/2 has nothing to measure: expected I\/N with N at most 1 for this sweep/,
    );
  },
);
