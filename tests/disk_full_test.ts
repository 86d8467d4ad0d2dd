/**
 * A file system that takes no more, which the system itself plays: beyond `ulimit -f` it takes no byte of a file.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ignore, inScratch, MOD, namesIn } from "./cli_support.ts";
import { fixtureResult } from "./fixtures/result.ts";
import { permitted } from "./permitted.ts";
import { sourcesIn } from "./sources.ts";

Deno.test("Where the file system takes no more, one line says so, and the file that was there stays", {
  ignore: ignore || Deno.build.os === "windows",
}, async () => {
  await inScratch(async (folder) => {
    const page = `${folder}/page.html`;
    await Deno.writeTextFile(`${folder}/r.json`, JSON.stringify(fixtureResult()));
    await Deno.writeTextFile(page, "of before");
    const run = ["report", `${folder}/r.json`, "-o", page];
    const flags = [`--allow-read=${folder}`, `--allow-write=${folder}`];
    // Left to itself, the signal ends the process; ignored, the write that is too much fails.
    const limited = new Deno.Command("sh", {
      args: [
        ...["-c", `trap "" XFSZ; ulimit -f 64; exec "$@"`, "sh", Deno.execPath(), "run", "--no-prompt"],
        ...["--cached-only", "--no-code-cache", ...flags, MOD, ...run],
      ],
      env: { NO_COLOR: "1" },
    });
    const { code, stdout, stderr } = await limited.output();
    const decoder = new TextDecoder();
    assert.deepEqual([code, decoder.decode(stdout)], [1, ""]);
    assert.equal(
      decoder.decode(stderr),
      `kvbench: Cannot write ${page}: File too large (os error 27)\n`,
    );
    assert.deepEqual(namesIn(folder), ["page.html", "r.json"]);
    assert.equal(await Deno.readTextFile(page), "of before");
  });
});

Deno.test("Files are written by one place alone, besides the hub's cache and what builds files", {
  ignore: !permitted("read"),
}, () => {
  const writers = sourcesIn(new URL("../src/", import.meta.url)).filter((file) =>
    /Deno\.(writeTextFile|writeFile|create|truncate)\b|\bwrite: true|from "node:fs/.test(
      Deno.readTextFileSync(file),
    )
  ).map(({ pathname }) => pathname.replace(/.*\/src\//, ""));
  const others = writers.filter((path) => !path.startsWith("hub/") && !path.endsWith("_test.ts"));
  assert.deepEqual(others.sort(), [
    "cli/bundle.ts",
    "report/page/build.ts",
    "report/schema_markdown.ts",
    "report/write.ts",
  ]);
});
