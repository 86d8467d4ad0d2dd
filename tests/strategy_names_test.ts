/**
 * A strategy is asked for what it is and never for its name: in `src/` and `wgsl/`, names stand under `src/kv` alone.
 */
import assert from "node:assert/strict";
import { strategyNames } from "../src/kv/registry.ts";
import { permitted } from "./permitted.ts";

const ROOT = new URL("../", import.meta.url);

/** The same words with another meaning: a percentile, and the header of HTTP. */
const OTHERS = /"cache-control": "no-cache"/g;

/** Names that are words of their own, which stand for other things too. */
const WORDS = ["max", "window"];

/** All files below a folder. */
function* filesIn(folder: URL): Generator<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* filesIn(new URL(`${name}/`, folder));
    else yield new URL(name, folder);
  }
}

Deno.test("Outside src/kv, no source names a strategy, in code, text or comments", {
  ignore: !permitted("read"),
}, () => {
  const names = strategyNames().filter((name) => !WORDS.includes(name));
  const name = new RegExp(`(?<![\\w-])(?:${names.join("|")})(?![\\w-])`, "g");
  assert.deepEqual("over a paged pool, kv-cache-like".match(name), ["paged"]);
  const found: string[] = [];
  for (const file of [...filesIn(new URL("src/", ROOT)), ...filesIn(new URL("wgsl/", ROOT))]) {
    const path = file.href.slice(ROOT.href.length);
    if (path.startsWith("src/kv/") || !/\.(ts|wgsl)$/.test(path) || /_test\.ts$/.test(path)) continue;
    Deno.readTextFileSync(file).replaceAll(OTHERS, "").split("\n").forEach((line, i) => {
      for (const [word] of line.matchAll(name)) found.push(`${path}:${i + 1} names ${word}`);
    });
  }
  assert.deepEqual(found, []);
});
