/**
 * Where files and output go takes no more, as the system itself plays it: beyond `ulimit -f` it takes no byte of a
 * file, and `/dev/full` takes none at all.
 */
import assert from "node:assert/strict";
import { ignore, inScratch, MOD, namesIn, WEIGHTS } from "./cli_support.ts";
import { fixtureResult } from "./fixtures/result.ts";
import { permitted } from "./permitted.ts";
import { sourcesIn } from "./sources.ts";

/** Runs `kvbench` as a shell's `"$@"`. */
async function inShell(
  script: string,
  flags: readonly string[],
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const run = [Deno.execPath(), "run", "--no-prompt", "--cached-only", "--no-code-cache", ...flags, MOD];
  const env = { NO_COLOR: "1", XDG_RUNTIME_DIR: Deno.env.get("XDG_RUNTIME_DIR") ?? "/tmp" };
  const command = new Deno.Command("sh", { args: ["-c", script, "sh", ...run, ...args], env });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("Where the file system takes no more, one line says so, and the file that was there stays", {
  ignore: ignore || Deno.build.os === "windows",
}, async () => {
  await inScratch(async (folder) => {
    const page = `${folder}/page.html`;
    await Deno.writeTextFile(`${folder}/r.json`, JSON.stringify(fixtureResult()));
    await Deno.writeTextFile(page, "of before");
    const args = ["report", `${folder}/r.json`];
    const flags = [`--allow-read=${folder}`, `--allow-write=${folder}`];
    // Left to itself, the signal ends the process; ignored, the write that is too much fails.
    assert.deepEqual(await inShell(`trap "" XFSZ; ulimit -f 64; exec "$@"`, flags, [...args, "-o", page]), {
      code: 1,
      stdout: "",
      stderr: `kvbench: Cannot write ${page}: File too large (os error 27)\n`,
    });
    assert.deepEqual(namesIn(folder), ["page.html", "r.json"]);
    assert.equal(await Deno.readTextFile(page), "of before");
    if (Deno.build.os !== "linux") return; // /dev/full
    assert.deepEqual(await inShell(`exec "$@" > /dev/full`, flags, args), {
      code: 1,
      stdout: "",
      stderr: "kvbench: Cannot write to stdout: No space left on device (os error 28)\n",
    });
  });
});

Deno.test("What goes to /dev/stdout is added where stdout goes, and replaces nothing", {
  ignore: ignore || Deno.build.os === "windows",
}, async () => {
  await inScratch(async (folder) => {
    await Deno.writeTextFile(`${folder}/r.json`, JSON.stringify(fixtureResult()));
    await Deno.writeTextFile(`${folder}/log`, "of before\n");
    const args = ["report", `${folder}/r.json`, "--format", "csv", "-o", "/dev/stdout"];
    const { code, stderr } = await inShell(`"$@" >> ${folder}/log`, [`--allow-read=${folder}`], args);
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = (await Deno.readTextFile(`${folder}/log`)).split("\n");
    assert.equal(lines[0], "of before");
    assert.match(lines[1]!, /^created,/);
    assert.deepEqual(namesIn(folder), ["log", "r.json"]);
  });
});

Deno.test("Where whoever reads the output leaves, generate ends without a word, with the code of SIGPIPE", {
  ignore: ignore || Deno.build.os === "windows",
}, async () => {
  const script = `{ "$@"; echo "code $?" >&2; } | true`;
  const args = ["generate", "The", "--max-new-tokens", "2"];
  assert.equal((await inShell(script, [`--allow-read=${WEIGHTS}`], args)).stderr, "code 141\n");
});

Deno.test("Files are written by one place alone, besides the hub's cache", {
  ignore: !permitted("read"),
}, () => {
  const writers = sourcesIn(new URL("../src/", import.meta.url)).filter((file) =>
    /Deno\.(writeTextFile|writeFile|create|truncate)\b|\bwrite: true|from "node:fs/.test(
      Deno.readTextFileSync(file),
    )
  ).map(({ pathname }) => pathname.replace(/.*\/src\//, ""));
  const others = writers.filter((path) => !path.startsWith("hub/") && !path.endsWith("_test.ts"));
  assert.deepEqual(others.sort(), [
    "report/write.ts",
  ]);
});
