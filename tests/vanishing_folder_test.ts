/**
 * A result folder that is gone in the middle of a bench: it is made again, and where that can't be done, what was
 * measured is printed.
 */
import assert from "node:assert/strict";
import { benchCommand } from "../src/cli/commands/bench.ts";
import { parseResult } from "../src/measure/record/result.ts";
import { inScratch, namesIn } from "./cli_support.ts";
import { permitted } from "./permitted.ts";

const ignore = !permitted("read", "write", "env");
const QUICK = ["--no-autotune", "--runs", "1", "--warmup", "0", "--strategies", "kv-cache"];

/** Runs `bench`, calls `harm` once the first of two settings is in the file, and returns what was printed. */
async function benchWith(
  path: string,
  harm: () => Promise<void>,
): Promise<{ lines: string[]; error: unknown }> {
  const lines: string[] = [];
  const { log, error: logError } = console;
  Object.assign(console, {
    log: (line: string) => lines.push(line),
    error: (line: string) => lines.push(line),
  });
  let harmed: Promise<void> | undefined;
  const watch = setInterval(async () => {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (harmed === undefined && text !== "" && JSON.parse(text).cells.length > 0) harmed = harm();
  }, 10);
  let error: unknown;
  try {
    await benchCommand().parseAsync([...QUICK, "--sweep", "new-tokens=2,150", "--json", path], {
      from: "user",
    });
  } catch (thrown) {
    error = thrown;
  } finally {
    clearInterval(watch);
    Object.assign(console, { log, error: logError });
  }
  assert.ok(harmed !== undefined, "bench was over before anything happened");
  await harmed;
  return { lines, error };
}

Deno.test("A result folder that vanishes in the middle of bench is made again, and the result is whole", {
  ignore,
}, async () => {
  await inScratch(async (folder) => {
    const path = `${folder}/results/r.json`;
    const { error } = await benchWith(path, () => Deno.remove(`${folder}/results`, { recursive: true }));
    assert.equal(error, undefined);
    const { complete, cells } = parseResult(JSON.parse(await Deno.readTextFile(path)), path);
    assert.deepEqual([complete, cells.length, namesIn(`${folder}/results`)], [true, 2, ["r.json"]]);
  });
});

Deno.test(
  "Where a result folder can't be made again, bench prints what it has measured, and ends with one line",
  {
    ignore,
  },
  async () => {
    await inScratch(async (folder) => {
      const path = `${folder}/results/r.json`;
      const { lines, error } = await benchWith(path, async () => {
        await Deno.remove(`${folder}/results`, { recursive: true });
        await Deno.writeTextFile(`${folder}/results`, "another's file");
      });
      assert.ok(error instanceof Error && error.name === "KvbenchError", String(error));
      assert.match(error.message, /^Cannot write .+r\.json: [^\n]+$/);
      assert.match(lines.at(-2)!, /kv-cache/); // the table
      assert.match(
        lines.at(-1)!,
        /^kvbench: Interrupted with \d of 2 cells measured, none of them written to a file$/,
      );
      assert.equal(await Deno.readTextFile(`${folder}/results`), "another's file");
    });
  },
);
