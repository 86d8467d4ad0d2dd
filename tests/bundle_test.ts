/**
 * Tests of the single-file build: a small entry that opens the embedded model and reads a kernel, and the program
 * itself, whose bytes must not depend on where it is made. `remote_test.ts` runs it.
 */
import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundle, BUNDLE_NAME } from "../tools/bundle.ts";
import { KvbenchError } from "../src/base/errors.ts";
import { inScratch, namesIn, runDeno } from "./cli_support.ts";
import { permitted } from "./permitted.ts";

const ignore = !permitted("read", "write", "run", "env");
const ROOT = new URL("../", import.meta.url);
/** What a bundle is made of. */
const MADE_OF = ["deno.json", "deno.lock", "extend.ts", "mod.ts", "src", "tools", "wgsl", "weights/tiny"];

const ENTRY = `
  import { openEmbedded } from "${new URL("src/hub/embedded.ts", ROOT)}";
  import kernel from "${new URL("wgsl/ops/layer_norm/layer_norm.wgsl", ROOT)}" with { type: "text" };
  import { SingleBar } from "npm:cli-progress@3.12.0"; // CommonJS that requires a built-in module
  const { config } = await openEmbedded();
  console.log(JSON.stringify({ args: Deno.args, nLayer: config.nLayer, kernel, bar: typeof SingleBar }));
`;

Deno.test(
  "bundle() makes a file that runs without a cache or a network, and may read the weights beside it and no more",
  { ignore },
  async () => {
    await inScratch(async (scratch) => {
      const entry = pathToFileURL(`${scratch}/source/main.ts`);
      await Deno.mkdir(`${scratch}/source`);
      await Deno.writeTextFile(entry, ENTRY);
      const out = `${scratch}/out`;
      const written = await bundle({ entry, folder: pathToFileURL(`${out}/`) });

      deepStrictEqual(namesIn(out), [BUNDLE_NAME, "weights"]);
      deepStrictEqual(namesIn(`${out}/weights/tiny`), ["config.json", "model.safetensors"]);
      strictEqual(written.length, 3);
      const flags = ["--no-prompt", "--no-remote", "--cached-only"];
      const { code, stdout, stderr } = await runDeno(
        ["run", ...flags, `--allow-read=${out}/weights`, `out/${BUNDLE_NAME}`, "--flag"],
        { cwd: scratch, env: { DENO_DIR: `${scratch}/cache` } },
      );
      strictEqual(code, 0, stderr);
      const { args, nLayer, kernel, bar } = JSON.parse(stdout);
      deepStrictEqual(args, ["--flag"]);
      strictEqual(nLayer, 6);
      strictEqual(bar, "function");
      strictEqual(kernel, await Deno.readTextFile(new URL("wgsl/ops/layer_norm/layer_norm.wgsl", ROOT)));
    });
  },
);

Deno.test("The same sources give the same bytes wherever they are bundled, with no trace of the place", {
  ignore,
}, async () => {
  await inScratch(async (scratch) => {
    await bundle({ folder: pathToFileURL(`${scratch}/here/`) });
    const root = `${scratch}/a/copy/of/the/sources`;
    for (const name of MADE_OF) await copy(fileURLToPath(new URL(name, ROOT)), `${root}/${name}`);
    const { code, stderr } = await runDeno(["task", "bundle"], { cwd: root });
    strictEqual(code, 0, stderr);
    for (const name of [BUNDLE_NAME, "weights/tiny/config.json", "weights/tiny/model.safetensors"]) {
      const [here, there] = await Promise.all(
        [`${scratch}/here`, `${root}/dist`].map((folder) => Deno.readFile(`${folder}/${name}`)),
      );
      strictEqual(here!.length, there!.length, name);
      strictEqual(here!.every((byte, i) => byte === there![i]), true, name);
    }

    const text = await Deno.readTextFile(`${scratch}/here/${BUNDLE_NAME}`);
    for (const place of [scratch, fileURLToPath(ROOT), Deno.env.get("HOME")!]) {
      strictEqual(text.includes(place), false, place);
    }
    // In a bundle every module is the main one: code of a task that asks would run.
    deepStrictEqual(text.match(/^.*import\.meta\.main.*$/gm), [
      "if (import.meta.main) await main(Deno.args);",
    ]);
    deepStrictEqual([...new Set(text.match(/(?<=")npm:[^"/]*(?:\/[^"@]+)?@[\d.]+(?=")/g))].sort(), [
      "npm:@napi-rs/canvas@1.0.11",
      "npm:webgpu@0.6.2",
    ]);
  });
});

Deno.test("bundle() says what the bundler says, and leaves nothing behind, where a source is missing", {
  ignore,
}, async () => {
  await inScratch(async (folder) => {
    const entry = pathToFileURL(`${folder}/missing.ts`);
    await rejects(bundle({ entry, folder: pathToFileURL(`${folder}/`) }), (error) => {
      match(String((error as KvbenchError).message), /^Cannot bundle \S+missing\.ts: .*No such file/s);
      return error instanceof KvbenchError;
    });
    deepStrictEqual(namesIn(folder), []);
  });
});

/** Copies a file, or a folder with all that is in it. */
async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) {
    await Deno.mkdir(to.slice(0, to.lastIndexOf("/")), { recursive: true });
    return await Deno.copyFile(from, to);
  }
  for (const name of namesIn(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}
