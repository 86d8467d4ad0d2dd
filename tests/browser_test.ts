/**
 * The floors that run in a browser too: no file of them reaches for Deno or a module of Node's, and in Chromium they
 * decode, simulate and compare as they do here.
 */
import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import { webGpuSource } from "../src/host/gpu.ts";
import { findBrowser } from "../tools/setup.ts";
import { inScratch, runDeno } from "./cli_support.ts";
import { work } from "./fixtures/browser_work.ts";
import { fixtureResult } from "./fixtures/result.ts";
import { permitted } from "./permitted.ts";
import { sourcesIn } from "./sources.ts";

const ignore = !permitted("read", "write", "run", "env", "sys");
const SRC = new URL("../src/", import.meta.url);

/** Folders of the floors; those that are not there yet are left out. */
const FLOORS = [
  ...[
    "base",
    "gpu",
    "formats",
    "kv",
    "checkpoint",
    "model",
    "engine",
    "check",
    "measure",
    "simulate",
    "load",
  ],
  "report/figures",
];

/** What no browser has. */
const OF_A_HOST = /\bDeno\.\w+|\bprocess\.\w+|["']node:[\w/]+["']|\brequire\("[^"]+"\)/g;

/** Bundles a script for a browser. */
async function bundle(entry: string): Promise<string> {
  const { code, stdout, stderr } = await runDeno(["bundle", "--quiet", "--platform=browser", entry], {});
  assert.equal(code, 0, stderr);
  return stdout;
}

Deno.test("The floors of a browser touch neither Deno nor Node's modules, with all that they import", {
  ignore,
}, async () => {
  const present = FLOORS.filter((floor) => {
    try {
      return Deno.statSync(new URL(floor, SRC)).isDirectory;
    } catch {
      return false;
    }
  });
  assert.ok(present.length >= FLOORS.length - 1, `only ${present}`);
  const files = present.flatMap((floor) => sourcesIn(new URL(`${floor}/`, SRC)));
  assert.ok(files.length > 150, `only ${files.length} files`);
  await inScratch(async (folder) => {
    const entry = `${folder}/floors.ts`;
    await Deno.writeTextFile(
      entry,
      files.map(({ href }, i) => `export * as f${i} from "${href}";\n`).join(""),
    );
    const script = await bundle(entry);
    assert.match(script, /createBindGroupLayout/); // it is the code, and not an empty shell
    assert.deepEqual([...new Set(script.match(OF_A_HOST))], []);
  });
});

/** Rounds numbers to 12 digits: engines of other versions compute exponentials and logarithms to another last bit. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(12)) : value;
}

Deno.test(
  "A browser decodes, simulates and compares as Deno does, on its own WebGPU",
  { ignore },
  async () => {
    const result = fixtureResult({ grid: { prompt_tokens: [16, 200], new_tokens: [20] } });
    const here = await work(await webGpuSource(), result);
    const browser = findBrowser();
    assert.ok(browser, "There is no browser to run in: run deno task setup:test");
    await inScratch(async (folder) => {
      const script = await bundle(fileURLToPath(new URL("fixtures/browser_page.ts", import.meta.url)));
      const page = `${folder}/page.html`;
      const inline = script.replaceAll("</script", "<\\/script");
      await Deno.writeTextFile(
        page,
        `<!doctype html><meta charset="utf-8"><script type="module">${inline}</script>`,
      );
      const visit = fileURLToPath(new URL("visit_work.ts", import.meta.url));
      const args = ["run", "--no-prompt", "--allow-all", visit, browser, pathToFileURL(page).href];
      const { code, stdout, stderr } = await runDeno(args, { stdin: JSON.stringify(result) });
      assert.equal(code, 0, stderr);
      assert.deepEqual(JSON.parse(stdout, rounded), JSON.parse(JSON.stringify(here), rounded));
      assert.ok(here.ids[0]!.length === 20 && here.kvBytes > 0 && here.figures.length > 3);
    });
  },
);
