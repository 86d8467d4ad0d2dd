/**
 * The README's figures of `bench` are those of one committed result, and the commands that it names made them.
 *
 * @module
 */
import assert from "node:assert/strict";
import bench from "../docs/bench.json" with { type: "json" };
import config from "../deno.json" with { type: "text" };
import readme from "../README.md" with { type: "text" };
import { parseResult } from "../src/measure/record/result.ts";
import { formatResults } from "../src/report/formats.ts";
import { sourcesIn } from "./sources.ts";

/** Text as it reads: the formatter aligns tables, wraps lines and escapes less. */
function plain(markdown: string): string {
  return markdown.replaceAll("\\", "").replaceAll(/-{3,}:?/g, "---").replaceAll(/\s+/g, " ").trim();
}

/** What stands between two marks. */
function between(text: string, mark: string): string {
  const [, inside] = text.split(new RegExp(`<!-- /?${mark} -->`));
  assert.ok(inside, `The README has no part ${mark}`);
  return inside;
}

Deno.test("The README's figures are those of docs/bench.json: run report docs/bench.json --format markdown", () => {
  const result = parseResult(bench, "docs/bench.json");
  assert.equal(plain(between(readme, "bench")), plain(formatResults([result], "markdown")));
});

Deno.test("The README names the command that made docs/bench.json", () => {
  const result = parseResult(bench, "docs/bench.json");
  assert.ok(result.complete);
  assert.ok(plain(readme).includes(`mod.ts ${result.command.join(" ")}`), result.command.join(" "));
});

Deno.test("Task bench times the strategies, task bench:kernels the kernels, and no suite is in neither", () => {
  const suitesOf = (task: string) => {
    const [, text] = config.split(`"${task}": {`);
    return text!.slice(0, text!.indexOf("}")).match(/bench\/\w+_bench\.ts/g) ?? [];
  };
  assert.deepEqual(suitesOf("bench"), ["bench/decode_bench.ts"]);
  const all = sourcesIn(new URL("../bench/", import.meta.url)).map(({ pathname }) =>
    pathname.split("/").at(-1)!
  )
    .filter((name) => name.endsWith("_bench.ts"));
  assert.deepEqual(
    [...suitesOf("bench"), ...suitesOf("bench:kernels")].sort(),
    all.map((name) => `bench/${name}`).sort(),
  );
});
