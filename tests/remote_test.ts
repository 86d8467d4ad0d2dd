/**
 * Runs from an empty folder with a cold cache and permission for one host, as a user does who has nothing but an
 * address: sources, kernels and weights come from a server on loopback, packages from the npm registry.
 *
 * @module
 */
import assert from "node:assert/strict";
import { goldenCase, inScratch, namesIn, runDeno, type RunResult } from "./cli_support.ts";
import { permitted } from "./permitted.ts";

const ROOT = new URL("../", import.meta.url);
/** What a web server would have to hold. */
const SERVED = /^\/(mod\.ts|(src|wgsl|weights)\/[\w./-]+)$/;
const WEIGHTS = "/weights/tiny/model.safetensors";

/** Serves the repository's files and notes what was asked for. */
async function withServer(
  test: (origin: string, requests: string[]) => Promise<void>,
): Promise<void> {
  const requests: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async ({ url }) => {
    const { pathname } = new URL(url);
    requests.push(pathname);
    if (!SERVED.test(pathname)) return new Response("Not found", { status: 404 });
    try {
      const type = pathname.endsWith(".ts") ? "application/typescript" : "application/octet-stream";
      const body = await Deno.readFile(new URL(`.${pathname}`, ROOT));
      return new Response(body, { headers: { "content-type": type } });
    } catch {
      return new Response("Not found", { status: 404 });
    }
  });
  try {
    await test(`http://127.0.0.1:${server.addr.port}`, requests);
  } finally {
    await server.shutdown();
  }
}

Deno.test("generate and bench run over HTTP from an empty folder, and fetch sources and weights once", {
  ignore: !permitted("read", "write", "run", "env", "net"),
}, async () => {
  await inScratch((folder) =>
    withServer(async (origin, requests) => {
      const cwd = `${folder}/empty`;
      await Deno.mkdir(cwd);
      const run = async (...args: string[]): Promise<RunResult> => {
        const host = new URL(origin).host;
        const result = await runDeno(
          ["run", "--no-prompt", `--allow-net=${host}`, `${origin}/mod.ts`, ...args],
          { cwd, env: { DENO_DIR: `${folder}/cache` } },
        );
        assert.equal(result.code, 0, result.stderr);
        return result;
      };

      const { greedy } = await goldenCase("tiny", "once");
      const generate = ["generate", "Once upon a time", "--max-new-tokens", "8", "--output"];
      const first = await run(...generate, "ids");
      assert.equal(first.stdout, `${greedy.slice(0, 8)}\n`);
      assert.equal(
        first.stderr.includes("napi-rs"),
        false,
        "the native canvas was fetched, and nothing is drawn",
      );
      assert.deepEqual(requests.filter((path) => path === WEIGHTS), [WEIGHTS]);
      assert.ok(requests.includes("/wgsl/kv_write.wgsl"));

      const asked = requests.length;
      const bench = await run("bench", "--runs", "1", "--warmup", "0", "--new-tokens", "3");
      assert.match(bench.stdout, /TPOT/);
      assert.deepEqual(requests.slice(asked), [], "the second run asked the server again");
      assert.deepEqual(namesIn(cwd), []);
    })
  );
});
