/**
 * Runs from an empty folder with an empty cache, as a user does who has nothing but an address: the released bundle
 * from a small web server, and `mod.ts` from one that knows TypeScript and takes many requests at once. Packages of
 * native code, and those of `mod.ts`, come from the npm registry.
 */
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { bundle } from "../tools/bundle.ts";
import script from "../src/report/page/client.js.txt" with { type: "text" };
import { permissionsAt } from "../src/cli/options/permissions.ts";
import {
  CHART_FLAGS,
  CHART_READS,
  goldenCase,
  inScratch,
  namesIn,
  runDeno,
  type RunResult,
} from "./cli_support.ts";
import { permitted } from "./permitted.ts";
import { StaticServer } from "./static_server.ts";

const ignore = !permitted("read", "write", "run", "env", "net");
const ROOT = new URL("../", import.meta.url);
/** The files of `mod.ts` that a web server has to hold. */
const SERVED = /^\/(mod\.ts|(src|wgsl|weights)\/[\w./-]+)$/;
const WEIGHTS = "/weights/tiny/model.safetensors";

/** Commands without a step of their own. `RESULT`, `IDS` and `FOLDER` stand for files and the folder that holds them. */
const OTHERS: readonly (readonly string[])[] = [
  ["compare", "RESULT", "RESULT"],
  ["doctor"],
  ["logits", "The", "--no-autotune", "-o", "FOLDER/logits.f32"],
  ["paper", "--views", "prefix", "--requests", "1", "--no-autotune"],
  ["perplexity", "--ids", "IDS", "--no-autotune"],
  ["profile", "--new-tokens", "1", "--prompt-tokens", "2", "--no-autotune"],
  ["selftest", "--quick"],
  ["weights", "list"],
];

Deno.test("A bundle from a small web server runs every command from an empty folder with least permissions", {
  ignore,
}, async (t) => {
  await inScratch(async (scratch) => {
    const dist = pathToFileURL(`${scratch}/dist/`);
    await bundle({ folder: dist });
    await using server = new StaticServer(dist);
    const home = new URL(`http://${server.host}/`);
    const cwd = `${scratch}/empty`, results = `${cwd}/kvbench-results`;
    // Of the variables that the hub's flags name, one decides.
    const env = { DENO_DIR: `${scratch}/cache`, HF_HUB_CACHE: results };
    await Deno.mkdir(cwd);
    const run = async (flags: readonly string[], ...args: string[]): Promise<RunResult> => {
      const result = await runDeno(["run", "--no-prompt", ...flags, `${home}kvbench.js`, ...args], {
        cwd,
        env,
      });
      assert.equal(result.code, 0, `${args}: ${result.stderr}`);
      return result;
    };
    const result = () => `${results}/${namesIn(results).find((name) => /^kvbench-.*\.json$/.test(name))}`;

    await t.step("generate fetches the bundle and, named before, the weights, and nothing else", async () => {
      const { greedy } = await goldenCase("tiny", "once");
      const generate = ["generate", "Once upon a time", "--max-new-tokens", "8", "--output", "ids"];
      const first = await run(permissionsAt("generate", home), ...generate);
      assert.equal(first.stdout, `${greedy.slice(0, 8)}\n`);
      assert.match(
        first.stderr,
        /^Downloading http:\S+\/model\.safetensors \(14\.8 MiB\) once, for this and later/m,
      );
      const downloads = [...first.stderr.matchAll(/^Download (\S+)$/gm)].map(([, address]) => address);
      assert.deepEqual(downloads, [`${home}kvbench.js`]);
      assert.deepEqual(server.requests, ["/kvbench.js", "/weights/tiny/config.json", WEIGHTS]);
    });

    await t.step("bench measures, writes its page, names the package that draws, and draws", async () => {
      const folder = `--allow-read=${[results, ...CHART_READS]}`;
      const { stdout, stderr } = await run(
        [...permissionsAt("bench", home), folder, `--allow-write=${results}`, ...CHART_FLAGS],
        ...["bench", "--no-autotune", "--runs", "1", "--warmup", "0", "--new-tokens", "3"],
      );
      assert.match(stdout, /TPOT/);
      const kinds = namesIn(results).map((name) => name.split(".").at(-1));
      assert.deepEqual(kinds.sort(), ["html", "json", "png"]);
      const named = stderr.indexOf("Charts are drawn by npm:@napi-rs/canvas@");
      const fetched = stderr.indexOf("/@napi-rs%2fcanvas");
      assert.ok(named >= 0 && fetched > named, stderr);
    });

    await t.step("report shows that result, and makes a page of it that has its script", async () => {
      const flags = [`--allow-read=${results}`];
      const table = await run(flags, "report", result());
      assert.match(table.stdout, /TPOT/);
      const page = `${results}/report.html`;
      await run([...flags, `--allow-write=${results}`], "report", result(), "-o", page);
      assert.ok((await Deno.readTextFile(page)).includes(script.slice(0, 10_000)), "the page has no script");
    });

    await t.step(
      "ladder climbs, and writes result, page and picture in the language that is asked for",
      async () => {
        const out = `${results}/ladder`, folder = `--allow-read=${[results, ...CHART_READS]}`;
        const { stdout } = await run(
          [...permissionsAt("ladder", home), folder, `--allow-write=${results}`, ...CHART_FLAGS],
          ...["ladder", "--runs", "1", "--new-tokens", "2", "--prompt-tokens", "2", "--no-autotune"],
          ...["--out", out, "--lang", "zh"],
        );
        const names = namesIn(out);
        assert.equal(names.length, 3);
        for (const name of names) assert.match(name, /^kvbench-\d{8}-\d{6}\.(?:html|json|png)$/);
        assert.match(stdout, /^Result: .+\nReport: .+\nChart: {2}.+$/m);
        assert.match(await Deno.readTextFile(`${out}/${names[0]}`), /<html lang="zh">/);
      },
    );

    await t.step("serve-sim serves", async () => {
      const sim = [
        "serve-sim",
        "--no-autotune",
        "--kv-budget",
        "1MiB",
        "--requests",
        "2",
        "--lengths",
        "alpaca",
      ];
      const { stdout } = await run(permissionsAt("serve-sim", home), ...sim);
      assert.match(stdout, /Every policy gave every request the same greedy ids/);
    });

    for (const args of OTHERS) {
      const command = args[0]!;
      await t.step(`${command} runs`, async () => {
        const ids = `${results}/ids.txt`;
        await Deno.writeTextFile(ids, "464,3290,257");
        const filled = (text: string) =>
          text.replace("RESULT", result()).replace("IDS", ids).replace(/FOLDER|FILE|(?<==)CACHE/, results);
        await run(permissionsAt(command, home).map(filled), ...args.map(filled));
      });
    }

    await t.step("serve answers load", async () => {
      const flags = permissionsAt("serve", home);
      const serve = [
        "run",
        "--no-prompt",
        ...flags,
        `${home}kvbench.js`,
        "serve",
        "--port",
        "0",
        "--no-autotune",
      ];
      const { code, stderr } = await runDeno(serve, {
        cwd,
        env,
        whenReady: async (line) => {
          const url = new URL(/http:\/\/[^/\s]+/.exec(line)![0]);
          const load = ["load", url.href, "--num-prompts", "2", "--new-tokens", "2"];
          const { stdout } = await run([`--allow-net=${url.host}`], ...load);
          assert.match(stdout, /TTFT/);
        },
      });
      assert.equal(code, 0, stderr);
    });

    await t.step("--help needs no permission and names this server", async () => {
      for (const command of ["generate", "bench"]) {
        const { stdout } = await run([], command, "--help");
        assert.match(stdout, new RegExp(`^Usage: kvbench ${command} `, "m"));
        const [flag = ""] = permissionsAt(command, home);
        assert.ok(stdout.replaceAll(/\s+/g, " ").includes(`Least permissions: ${flag}`), stdout);
      }
    });

    await t.step("the server was asked for each file once", () => {
      assert.deepEqual(server.requests, ["/kvbench.js", "/weights/tiny/config.json", WEIGHTS]);
    });
  });
});

Deno.test("mod.ts runs from a server that knows TypeScript, and fetches sources and weights once", {
  ignore,
}, async () => {
  await inScratch((folder) =>
    withTypedServer(async (origin, requests) => {
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
      assert.ok(requests.includes("/wgsl/ops/kv_write/kv_write.wgsl"));

      const asked = requests.length;
      const again = await run(...generate, "ids");
      assert.equal(again.stdout, first.stdout);
      assert.deepEqual(requests.slice(asked), [], "the second run asked the server again");
      assert.deepEqual(namesIn(cwd), []);
    })
  );
});

/** Serves the repository's files, TypeScript as such, and notes what was asked for. */
async function withTypedServer(
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
