/**
 * Tests of the single-file build, with a small entry that opens the embedded model and reads a kernel.
 *
 * @module
 */
import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { bundle } from "../src/cli/bundle.ts";
import { KvbenchError } from "../src/errors.ts";
import { permitted } from "./permitted.ts";

const ignore = !permitted("read", "write", "run", "env");

const ENTRY = `
  import { openEmbedded } from "${new URL("../src/hub/embedded.ts", import.meta.url)}";
  import kernel from "${new URL("../wgsl/layer_norm.wgsl", import.meta.url)}" with { type: "text" };
  import { SingleBar } from "npm:cli-progress@3.12.0"; // CommonJS that requires a built-in module
  export async function main(args: string[]) {
    const { config } = await openEmbedded();
    console.log(JSON.stringify({ args, nLayer: config.nLayer, kernel, bar: typeof SingleBar }));
  }
`;

Deno.test(
  "bundle() makes one file that runs from an empty folder without a cache, a network or a permission",
  { ignore },
  async () => {
    await inScratch(async (folder) => {
      const entry = pathToFileURL(`${folder}/source/main.ts`);
      await Deno.mkdir(`${folder}/source`);
      await Deno.writeTextFile(entry, ENTRY);
      const out = pathToFileURL(`${folder}/out/kvbench.js`);
      await bundle({ entry, out });

      deepStrictEqual([...Deno.readDirSync(`${folder}/out`)].map((file) => file.name), ["kvbench.js"]);
      const code = await Deno.readTextFile(out);
      strictEqual(code.includes(Deno.env.get("HOME")!), false, "no path of this machine");
      const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--no-remote", "--cached-only", "kvbench.js", "--flag"],
        cwd: `${folder}/out`,
        env: { DENO_DIR: `${folder}/cache`, NO_COLOR: "1" },
      }).output();
      strictEqual(success, true, new TextDecoder().decode(stderr));
      const { args, nLayer, kernel, bar } = JSON.parse(new TextDecoder().decode(stdout));
      deepStrictEqual(args, ["--flag"]);
      strictEqual(nLayer, 6);
      strictEqual(bar, "function");
      strictEqual(kernel, await Deno.readTextFile(new URL("../wgsl/layer_norm.wgsl", import.meta.url)));
    });
  },
);

Deno.test("bundle() says what the bundler says, and leaves nothing behind, where a source is missing", {
  ignore,
}, async () => {
  await inScratch(async (folder) => {
    const entry = pathToFileURL(`${folder}/missing.ts`);
    const bundling = bundle({ entry, out: pathToFileURL(`${folder}/kvbench.js`) });
    await rejects(bundling, (error) => {
      match(String((error as KvbenchError).message), /^Cannot bundle: .*missing\.ts/s);
      return error instanceof KvbenchError;
    });
    deepStrictEqual([...Deno.readDirSync(folder)], []);
  });
});

async function inScratch(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kvbench_" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
