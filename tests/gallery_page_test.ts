/** The page of many adapters: what `report` takes for it, and what a browser makes of it. */
import assert from "node:assert/strict";
import { reportCommand } from "../src/cli/commands/report.ts";
import { reportPage } from "../src/report/page/page.ts";
import { galleryView } from "../src/report/gallery/view.ts";
import { inScratch } from "./cli_support.ts";
import { fixtureResult } from "./fixtures/result.ts";
import { inBrowser } from "./in_browser.ts";
import { permitted } from "./permitted.ts";
import type { GalleryVisit } from "./visit_gallery.ts";

/** Adapters, the time of a step with a cache, and the gain of the cache. */
const ADAPTERS = [["NVIDIA H100 80GB HBM3", 1, 3], ["Apple M3 Max", 2, 9], [
  "llvmpipe (LLVM 19)",
  3,
  6,
]] as const;

const RESULTS = ADAPTERS.map(([description, ms, gain]) => {
  const result = fixtureResult({ stepMs: ({ strategy }) => strategy === "no-cache" ? gain * ms : ms });
  result.environment.adapter.description = description;
  result.environment.adapter.software = description.startsWith("llvm");
  return result;
});

Deno.test("A page of adapters is sorted by a click, filtered by words, and linked to, offline", {
  ignore: !permitted("read", "write", "run", "env", "sys"),
}, async () => {
  const [h100, apple, llvmpipe] = galleryView(RESULTS, "en").rows.map(({ anchor }) => anchor);
  await inScratch(async (folder) => {
    const path = `${folder}/gallery.html`;
    await Deno.writeTextFile(path, reportPage(RESULTS));
    const seen = await inBrowser<GalleryVisit>("visit_gallery.ts", [path]);
    assert.deepEqual([seen.messages, seen.inaccessible], [[], []]);
    assert.deepEqual(seen.first, [h100, apple, llvmpipe]);
    assert.deepEqual(seen.byGain, [[apple, llvmpipe, h100], [h100, llvmpipe, apple]]);
    assert.deepEqual([seen.alike, seen.ariaSort], [true, "ascending"]);
    assert.deepEqual([seen.filtered, seen.address], [[llvmpipe], "#adapter=SOFTWARE%20llvm"]);
    assert.deepEqual(seen.again, [llvmpipe]);
    assert.deepEqual([seen.one.rows, seen.one.open], [[h100], true]);
    assert.ok(seen.one.charts > 5, `${seen.one.charts} charts`);
    assert.deepEqual(seen.none, [0, "No adapter has all of these words."]);
    assert.deepEqual([seen.fits, seen.nameFirst], [true, true]);
  });
});

Deno.test(
  "report makes a page of results of one plan and model alone, and names the one that is of another",
  {
    ignore: !permitted("read", "write"),
  },
  async () => {
    await inScratch(async (folder) => {
      const changed = structuredClone(RESULTS[0]!);
      changed.plan.seed++;
      const paths = [...RESULTS, changed].map((result, i) => {
        Deno.writeTextFileSync(`${folder}/${i}.json`, JSON.stringify(result));
        return `${folder}/${i}.json`;
      });
      const out = `${folder}/page.html`;
      const report = (files: string[]) => reportCommand().parseAsync([...files, "-o", out], { from: "user" });
      await assert.rejects(report(paths), {
        name: "KvbenchError",
        message:
          `Cannot show ${paths[3]} beside the others: its plan.seed is another than that of ${paths[0]}, ` +
          "expected results of one plan and model on a page",
      });
      assert.throws(() => Deno.statSync(out), Deno.errors.NotFound);
      const { log } = console;
      console.log = () => {};
      await report(paths.slice(0, 3)).finally(() => console.log = log);
      assert.match(Deno.readTextFileSync(out), /id="gallery"/);
    });
  },
);
