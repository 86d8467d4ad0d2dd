/** `kvbench compare`, `kvbench report` and `kvbench bench --baseline` as a user runs them. */
import assert from "node:assert/strict";
import { formatJson } from "../src/report/json.ts";
import { ignore, inScratch, kvbench, namesIn, stdoutOf } from "./cli_support.ts";
import { fixtureProfile } from "./fixtures/profile.ts";
import { fixtureResult } from "./fixtures/result.ts";

const SLOW = fixtureResult({ runs: 9, stepMs: ({ strategy }) => strategy === "paged" ? 8 : 5 });
const FAST = fixtureResult({ runs: 9, stepMs: () => 5, seed: 3 });

Deno.test("compare ends with code 3 where something got worse than allowed, and with 0 where not", {
  ignore,
}, async () => {
  await inScratch(async (folder) => {
    const [fast, slow] = [`${folder}/fast.json`, `${folder}/slow.json`];
    await Deno.writeTextFile(fast, formatJson(FAST));
    await Deno.writeTextFile(slow, formatJson(SLOW));
    const flags = [`--allow-read=${folder}`];

    const worse = await kvbench(["compare", fast, slow, "--fail-on", "5%"], { flags });
    assert.equal(worse.code, 3, worse.stderr);
    assert.match(worse.stdout, /TPOT .* slower/);
    assert.match(worse.stderr, /^kvbench: Worse by more than 5\.0 %: paged: TPOT; paged: total\n$/);

    const json = await kvbench(["compare", slow, fast, slow, "--fail-on", "70%", "--format", "json"], {
      flags,
    });
    assert.deepEqual([json.code, json.stderr], [0, ""]);
    const { comparisons: [better, same] } = JSON.parse(json.stdout);
    assert.deepEqual(better.pairs[2].metrics.map(({ verdict }: { verdict: string }) => verdict), [
      "no difference",
      "faster",
      "faster",
    ]);
    assert.equal(better.pairs[2].peak_bytes[0], SLOW.cells[2]!.memory.peak_bytes.total);
    assert.equal(same.pairs[2].metrics[1].together.ratio, 1);

    await Deno.writeTextFile(slow, "{");
    const broken = await kvbench(["compare", fast, slow], { flags });
    assert.deepEqual([broken.code, broken.stdout], [1, ""]);
    assert.match(broken.stderr, /^kvbench: Cannot use .+slow\.json: it is not JSON\n$/);
  });
});

Deno.test(
  "report writes the form that the file's end says, a page among them, and refuses one that says none",
  { ignore },
  async () => {
    await inScratch(async (folder) => {
      const path = `${folder}/r.json`;
      await Deno.writeTextFile(path, formatJson(SLOW));
      await stdoutOf(["report", path, "-o", `${folder}/out.md`], { write: folder });
      assert.match(await Deno.readTextFile(`${folder}/out.md`), /^\| model \| strategy \|/);
      await Deno.writeTextFile(`${folder}/p.json`, formatJson(fixtureProfile()));
      const page = ["report", path, `${folder}/p.json`, "-o", `${folder}/out.html`];
      await stdoutOf([...page, "--png", `${folder}/charts`], { write: folder, charts: true });
      assert.match(
        await Deno.readTextFile(`${folder}/out.html`),
        /^<!doctype html>[^]*id="chart-r2-roofline"/,
      );
      assert.deepEqual(namesIn(`${folder}/charts/2`), ["roofline.png"]);
      assert.ok(namesIn(`${folder}/charts/1`).includes("overview.png"));
      const none = await kvbench(["report", path, "-o", `${folder}/out.xyz`], { write: folder });
      assert.deepEqual([none.code, none.stdout], [2, ""]);
      assert.match(
        none.stderr,
        /^kvbench: The format of .+ can't be told from its extension: expected html, txt, json/,
      );
      assert.deepEqual(namesIn(folder), ["charts", "out.html", "out.md", "p.json", "r.json"]);
    });
  },
);

Deno.test(
  "bench --baseline compares what it measures, prints the form that is asked for, and checks its options",
  {
    ignore,
  },
  async () => {
    await inScratch(async (folder) => {
      const base = `${folder}/base.json`;
      const workload = [
        "bench",
        "--no-autotune",
        "--strategies",
        "paged",
        "--new-tokens",
        "3",
        "--runs",
        "4",
        "--warmup",
        "0",
      ];
      await stdoutOf([...workload, "--json", base], { write: folder });
      // A baseline in which everything took no time at all: whatever is measured is worse.
      const result = JSON.parse(await Deno.readTextFile(base));
      for (const cell of result.cells) {
        for (const key of ["ttft_ms", "tpot_ms", "e2e_ms"]) {
          cell[key].samples = cell[key].samples.map((ms: number) => ms / 1000);
        }
      }
      await Deno.writeTextFile(base, JSON.stringify(result));
      const args = [...workload, "--json", `${folder}/new.json`, "--baseline", base, "--fail-on", "50%"];
      const { code, stdout, stderr } = await kvbench([...args, "--format", "csv"], { write: folder });
      assert.equal(code, 3, stderr);
      assert.match(stdout, /^created,kvbench,.*\n[^\n]+,paged,22,3,1,f32,(?:[^,\n]*,){0,4}16,[^\n]*\n$/);
      assert.match(stderr, /^paged\n TTFT .* slower/m);
      assert.match(stderr, /Worse by more than 50 %: paged: TTFT; paged: TPOT; paged: total\n$/);

      const other = await kvbench([...args, "--block-size", "8"], { write: folder });
      assert.equal(other.code, 2);
      assert.match(other.stderr, /^kvbench: No cell of .+base\.json has the settings of this run/);
      const nothing = await kvbench([...workload, "--fail-on", "5%"], { write: folder });
      assert.match(nothing.stderr, /^kvbench: --fail-on needs something to compare with/);
    });
  },
);
