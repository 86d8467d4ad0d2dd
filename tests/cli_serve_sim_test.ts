/** `kvbench serve-sim --dry-run` end to end: the record, the table, and what is refused. */
import assert from "node:assert/strict";
import { parseServing } from "../src/simulate/serving_result.ts";
import { ignore, inScratch, kvbench, RANDOM_SMALL, stdoutOf } from "./cli_support.ts";

const OPT = ["serve-sim", "--dry-run", "--model", "opt-13b", "--kv-budget", "12.86GB", "--requests", "100"];

Deno.test("serve-sim --dry-run needs no permission, prints a table and gives the same record twice", {
  ignore,
}, async () => {
  const table = await stdoutOf(OPT, { flags: [] });
  assert.match(table, /^opt-13b, K\/V budget 12\.0 GiB = 15 698 tokens, 4 policies$/m);
  assert.match(table, /^ +max +pow2 +oracle +paged$/m);
  const notes = table.slice(table.indexOf("Sequences at once")).replaceAll(/\s+/g, " ");
  assert.match(
    notes,
    /^Sequences at once with paged: [\d.]+ × those of max, .* of oracle\. Without any waste, /,
  );
  assert.match(
    notes,
    / [\d.]+ sequences of \d+ tokens \(the mean of paged\) would run: [\d.]+ × those of max, .* of oracle\. Times /,
  );
  assert.match(table, /^Times are modelled, not measured/m);
  const records = [];
  for (let i = 0; i < 2; i++) {
    const text = await stdoutOf([...OPT, "--json", "-"], { flags: [] });
    records.push(parseServing(JSON.parse(text), "stdout"));
  }
  assert.deepEqual(records[0]!.results, records[1]!.results);
  assert.equal(records[0]!.results[0]!.finished, 100);
});

Deno.test("serve-sim reads lengths from a file, and refuses what is wrong", { ignore }, async () => {
  await inScratch(async (folder) => {
    const file = `${folder}/lengths.csv`;
    await Deno.writeTextFile(file, "prompt_tokens,output_tokens,arrival_ms\n10,5,0\n20,6,100\n");
    const run = ["serve-sim", "--dry-run", "--lengths", file];
    const text = await stdoutOf([...run, "--json", "-"], { read: [folder] });
    const { results, workload, model } = parseServing(JSON.parse(text), "stdout");
    assert.deepEqual([workload.requests, workload.lengths, model.name], [2, file, "tiny"]);
    assert.deepEqual(results.map(({ output_tokens }) => output_tokens), [11, 11, 11, 11]);
    const cases: [number, string[], RegExp][] = [
      [2, [...run, "--rate", "2"], /^The file of lengths says when requests come: expected no --rate$/],
      [
        2,
        [...run, "--requests", "3"],
        /^The file has times for 2 requests: expected at most as many --requests$/,
      ],
      [
        1,
        ["serve-sim", "--dry-run", "--lengths", `${folder}/none`],
        /^Cannot read .*none: .*expected sharegpt/,
      ],
      [2, [...OPT, "--kv-budget", "64"], /expected bytes with a unit, such as 64MiB or 12GB/],
      [2, [...OPT, "--kv-budget", "1MB"], /^Number of KV blocks is 0: expected an integer of at least 1$/],
      [2, [...OPT, "--ttft-limit", "5"], /^One limit is given: expected both --ttft-limit and --tpot-limit$/],
      [2, [...OPT, "--max-rows", "9"], /^A step of 9 tokens is too small for 256 sequences/],
    ];
    for (const [code, args, message] of cases) {
      const result = await kvbench(args, { read: [folder] });
      assert.deepEqual([result.code, result.stdout], [code, ""], args.join(" "));
      assert.match(result.stderr.trimEnd().replace(/^kvbench: /, ""), message);
    }
  });
});

Deno.test(
  "serve-sim on the GPU gives every policy's requests the same ids, and needs no more than the model",
  {
    ignore,
  },
  async () => {
    await inScratch(async (folder) => {
      const file = `${folder}/lengths.csv`;
      await Deno.writeTextFile(file, "prompt_tokens,output_tokens\n10,5\n30,12\n3,20\n17,9\n40,6\n");
      const run = [
        "serve-sim",
        "--model",
        RANDOM_SMALL,
        "--lengths",
        file,
        "--max-sequences",
        "8",
        "--no-autotune",
      ];
      const limits = ["--policies", "no-cache,max,paged", "--block-size", "4", "--max-rows", "120"];
      const read = { read: [folder, RANDOM_SMALL] };
      const text = await stdoutOf([...run, ...limits, "--num-return-sequences", "2", "--json", "-"], read);
      const { results, clock } = parseServing(JSON.parse(text), "stdout");
      assert.equal(clock.source, "gpu");
      assert.deepEqual(
        results.map(({ policy, finished, output_tokens }) => [policy, finished, output_tokens]),
        [
          ["no-cache", 5, 104],
          ["max", 5, 104],
          ["paged", 5, 104],
        ],
      );
      assert.deepEqual(results.map(({ ids_check }) => ids_check?.compared), [undefined, 10, 10]);
    });
  },
);
