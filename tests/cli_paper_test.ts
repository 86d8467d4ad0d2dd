/** `kvbench paper` end to end, dry and on the GPU. */
import assert from "node:assert/strict";
import { parsePaper } from "../src/simulate/paper/paper_result.ts";
import { ignore, inScratch, kvbench, stdoutOf } from "./cli_support.ts";

Deno.test(
  "paper --dry-run needs no permission, and shows the paper's figures beside its own",
  { ignore },
  async () => {
    const run = ["paper", "--dry-run", "--model", "opt-13b", "--kv-budget", "12.86GB", "--requests", "100"];
    const table = await stdoutOf([...run, "--views", "waste,preemption"], { flags: [] });
    assert.match(table, /^opt-13b, K\/V budget 12\.0 GiB = 15 698 tokens$/m);
    assert.match(table, /^Use of K\/V memory, mean over time, % \(figure 2\)$/m);
    assert.match(table, /^oracle +[\d.]+ \(38\.2\) /m);
    assert.match(table, /^The paper: swapping costs much/m);
    assert.match(table, /^Unlike the paper: .*fitted/m);
    const json = await stdoutOf([...run, "--views", "sharing", "--json", "-"], { flags: [] });
    const { views, model, clock } = parsePaper(JSON.parse(json), "stdout");
    assert.deepEqual([model.name, clock.source, views.map(({ name }) => name)], ["opt-13b", "model", [
      "sharing",
    ]]);
    await inScratch(async (folder) => {
      const file = `${folder}/paper.json`;
      await Deno.writeTextFile(file, json);
      assert.match(
        await stdoutOf(["report", file], { read: [folder] }),
        /^2 beams +[\d.]+ \(37\.6\) /m,
      );
      await stdoutOf(["report", file, "-o", `${folder}/page.html`], { write: folder });
      const page = await Deno.readTextFile(`${folder}/page.html`);
      for (const id of ["sharing-alpaca", "sharing-sharegpt"]) {
        assert.ok(page.includes(`<canvas id="chart-${id}"`), id);
      }
      const { code, stderr } = await kvbench(["report", file, "--format", "csv"], { read: [folder] });
      assert.equal(code, 2);
      assert.match(
        stderr,
        /paper\.json is no result of bench, and has no format csv: expected table or html/,
      );
    });
  },
);

Deno.test("paper measures on the GPU where it is not told otherwise, and refuses a view that is none", {
  ignore,
}, async () => {
  const json = await stdoutOf([
    "paper",
    "--views",
    "prefix",
    "--requests",
    "2",
    "--no-autotune",
    "--json",
    "-",
  ]);
  const { views: [prefix], clock } = parsePaper(JSON.parse(json), "stdout");
  assert.equal(clock.source, "gpu");
  assert.ok(prefix!.rows.every(({ here: [ratio] }) => ratio! > 0));
  assert.ok(prefix!.differences.includes("tiny in place of LLaMA-13B"));
  const { code, stdout, stderr } = await kvbench(["paper", "--views", "fig9"]);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /fig9/);
});
