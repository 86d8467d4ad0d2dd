/**
 * `kvbench ladder` end to end: the result, its page and chart, both languages, and what is refused. (`remote_test.ts` has
 * `--out`.)
 */
import assert from "node:assert/strict";
import { parseLadder } from "../src/measure/ladder/ladder_result.ts";
import { RUNG_NAMES } from "../src/measure/ladder/rungs.ts";
import { ignore, inScratch, kvbench, namesIn, stdoutOf } from "./cli_support.ts";
import { fixtureResult } from "./fixtures/result.ts";

/** As little as there is to measure. */
const QUICK = ["--prompt-ids", "464,3290,318", "--new-tokens", "2", "--runs", "1", "--no-autotune"];

Deno.test(
  "The ladder, here as a preset of bench, measures every rung, and report makes table, page and picture of its result",
  {
    ignore,
  },
  async () => {
    await inScratch(async (folder) => {
      const file = `${folder}/ladder.json`;
      await Deno.writeTextFile(file, "an older result");
      const table = await stdoutOf(["bench", "--preset", "ladder", ...QUICK, "--json", file], {
        write: folder,
      });
      assert.match(table, /^kvbench: tiny on /m);
      assert.match(table, /^6 K\/V in blocks \(paging\) +[\d.]+ +[\d.]+ × +[\d.]+ MiB$/m);
      assert.match(table, /^Paging itself \(rung 6\) is worth [\d.]+ × here; it is worth 3\.\d+ × in/m);
      assert.match(table, /One published run on an RTX 4090: 11\.1 \/ 7\.4 \/ 1\.3 ms per token/);
      const result = parseLadder(JSON.parse(await Deno.readTextFile(file)), file);
      assert.deepEqual(result.rungs.map(({ name }) => name), [...RUNG_NAMES]);
      assert.deepEqual(result.plan.prompt_ids, [464, 3290, 318]);
      assert.deepEqual(namesIn(folder), ["ladder.json"]);

      const read = [folder], write = folder;
      assert.equal((await stdoutOf(["report", file], { read })).trim(), table.trim());
      assert.match(await stdoutOf(["report", file, "--lang", "zh"], { read }), /^分页本身（第 6 级）/m);
      await stdoutOf(["report", file, "--lang", "zh", "-o", `${folder}/zh.html`], { write });
      assert.match(await Deno.readTextFile(`${folder}/zh.html`), /<html lang="zh">/);
      await stdoutOf(["report", file, "--png", folder], { write, charts: true });
      assert.deepEqual([...(await Deno.readFile(`${folder}/ladder.png`)).subarray(1, 4)], [80, 78, 71]);
    });
  },
);

const WRONG: readonly (readonly [what: string, args: readonly string[], message: RegExp])[] = [
  ["an unknown language", ["--lang", "fr"], /--lang <code>' argument 'fr' is not valid: expected en, zh$/m],
  ["a single token", ["--new-tokens", "1"], /'1' is not valid: expected a whole number from 2 to/],
  ["two destinations", ["--json", "a.json", "--out", "b"], /^Both --json and --out are given/],
  [
    "tokens beyond the context",
    ["--prompt-tokens", "1000", "--new-tokens", "25"],
    /make 1025: the model's context is 1024/,
  ],
  [
    "a prompt in two forms",
    ["--prompt", "x", "--prompt-tokens", "3"],
    /^--prompt-tokens makes up a prompt/,
  ],
  ["a type of weights, which rungs choose", ["--weights-dtype", "f16"], /^Unknown option '--weights-dtype'/],
];

for (const [what, args, message] of WRONG) {
  Deno.test(`ladder refuses ${what} with one line`, { ignore }, async () => {
    const { code, stdout, stderr } = await kvbench(["ladder", ...args]);
    assert.deepEqual([code, stdout], [2, ""], stderr);
    assert.match(stderr, /^kvbench: [^\n]+\n$/);
    assert.match(stderr.slice("kvbench: ".length), message);
  });
}

Deno.test(
  "ladder refuses a file that can't be written before it measures, and leaves it alone",
  { ignore },
  async () => {
    await inScratch(async (folder) => {
      const { code, stdout, stderr } = await kvbench(["ladder", ...QUICK, "--json", folder], {
        write: folder,
      });
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, /^kvbench: Cannot write [^\n]+: Is a directory\n$/);
      assert.deepEqual(namesIn(folder), []);
    });
  },
);

Deno.test("report says a benchmark in Chinese on a page alone", { ignore }, async () => {
  await inScratch(async (folder) => {
    const file = `${folder}/bench.json`;
    await Deno.writeTextFile(file, JSON.stringify(fixtureResult()));
    const { code, stderr } = await kvbench(["report", file, "--lang", "zh"], { read: [folder] });
    assert.equal(code, 2);
    assert.match(
      stderr,
      /Of .*bench\.json only the page has words in zh: expected -o FILE\.html, or no --lang/,
    );
  });
});
