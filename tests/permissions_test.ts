/**
 * Least permissions: each subcommand runs with exactly the flags that are documented, and needs each of them. What
 * a flag only improves is listed apart.
 */
import assert from "node:assert/strict";
import { PERMISSIONS } from "../src/cli/options/permissions.ts";
import { CHART_FLAGS, CHART_READS, ignore, inScratch, kvbench, namesIn, stdoutOf } from "./cli_support.ts";
import { fixtureResult } from "./fixtures/result.ts";
import { permitted } from "./permitted.ts";
import { sourcesIn } from "./sources.ts";

const READ_WEIGHTS = "--allow-read=weights";
const QUICK_BENCH = [
  ...["bench", "--strategies", "kv-cache", "--no-autotune", "--no-serving"],
  ...["--runs", "1", "--warmup", "0", "--new-tokens", "2"],
];

/**
 * Every subcommand. `FOLDER` stands for a folder to write to, `FILE` for a file in it, `HOST:PORT` for where a server
 * listens.
 */
const COMMANDS: readonly (readonly string[])[] = [
  ["generate", "The", "--max-new-tokens", "2"],
  ["logits", "The", "-o", "FOLDER/l.f32"],
  [...QUICK_BENCH, "--json", "-"],
  ["ladder", "--runs", "1", "--new-tokens", "2", "--prompt-tokens", "2", "--no-autotune", "--json", "-"],
  ["compare", "FILE", "FILE"],
  ["report", "FILE"],
  ["perplexity", "--ids", "FILE"],
  [
    "quality",
    "--no-autotune",
    "--strategies",
    "kv-cache",
    "--kv-dtypes",
    "f16",
    "--parts",
    "1",
    "--context",
    "16",
  ],
  ["profile", "--no-autotune", "--new-tokens", "1", "--prompt-tokens", "2", "--json", "-"],
  ["doctor"],
  ["selftest", "--quick"],
  ["weights", "list"],
  ["serve-sim", "--no-autotune", "--kv-budget", "1MiB", "--requests", "2", "--lengths", "alpaca"],
  ["paper", "--views", "prefix", "--requests", "1", "--no-autotune", "--json", "-"],
  ["serve", "--port", "0", "--no-autotune"],
  ["load", "http://HOST:PORT", "--num-prompts", "1", "--new-tokens", "1"],
];

/** Runs, and what each needs. */
const LEAST: readonly (readonly [what: string, args: readonly string[], flags: readonly string[]])[] = [
  ...COMMANDS.map((args) => [args[0]!, args, PERMISSIONS[args[0]!]!] as const),
  [
    "bench --out",
    [...QUICK_BENCH, "--out", "FOLDER"],
    [`--allow-read=${["weights", "FOLDER", ...CHART_READS]}`, "--allow-write=FOLDER", ...CHART_FLAGS],
  ],
];

/** What is lost, and not failed at, without a flag of `bench --out`. */
const OPTIONAL = CHART_FLAGS;

const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);

function filledIn(texts: readonly string[], folder: string, address: string): string[] {
  return texts.map((text) =>
    text.replaceAll("FOLDER", folder).replaceAll("FILE", `${folder}/input`).replaceAll("=CACHE", `=${folder}`)
      .replaceAll("HOST:PORT", address)
  );
}

/** Runs `body` beside a server that answers every completion with one token. */
async function besideServer(body: (address: string) => Promise<void>): Promise<void> {
  const chunk = `data: {"choices":[{"text":"a"}]}\n\ndata: [DONE]\n\n`;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ method }) => method === "GET" ? Response.json({ data: [{ id: "toy" }] }) : new Response(chunk),
  );
  await body(`127.0.0.1:${server.addr.port}`).finally(() => server.shutdown());
}

for (const [what, args, flags] of LEAST) {
  Deno.test(`kvbench ${what} runs with its documented permissions and needs each of them`, {
    ignore: ignore || !permitted("net") || Deno.build.os === "windows" && what === "serve",
  }, async () => {
    await inScratch((folder) =>
      besideServer(async (address) => {
        if (args.includes("FILE")) {
          const text = what === "perplexity" ? "464,3290,257" : JSON.stringify(fixtureResult());
          await Deno.writeTextFile(`${folder}/input`, text);
        }
        const run = (given: readonly string[]) =>
          kvbench(filledIn(args, folder, address), {
            flags: filledIn(given, folder, address),
            cwd: ROOT,
            env: { HF_HUB_CACHE: folder },
            ...(what === "serve" && { whenReady: () => Promise.resolve() }),
          });
        if (what !== "ladder") { // which cli_ladder_test.ts runs, with what a file needs besides
          const { code, stderr } = await run(flags);
          assert.equal(code, 0, stderr);
        }
        if (what === "bench --out") assert.equal(namesIn(folder).length, 3); // JSON, page and chart
        for (const flag of flags) {
          if (OPTIONAL.includes(flag)) continue;
          const without = await run(flags.filter((other) => other !== flag));
          assert.deepEqual([without.code, without.stdout], [1, ""], `without ${flag}`);
          assert.match(without.stderr, /^kvbench: [^\n]*--allow-(read|write|env|net)[^\n]*\n$/m);
        }
      })
    );
  });
}

Deno.test("bench without the permissions of charts or of its folder says what it left out, and measures", {
  ignore,
}, async () => {
  await inScratch(async (folder) => {
    const flags = [`--allow-read=weights,${folder}`, `--allow-write=${folder}`];
    const noChart = await kvbench([...QUICK_BENCH, "--out", folder], { flags, cwd: ROOT });
    assert.equal(noChart.code, 0, noChart.stderr);
    assert.match(noChart.stdout, /Chart: not drawn, that needs --allow-ffi/);
    assert.equal(namesIn(folder).length, 2);

    const nothing = await kvbench(QUICK_BENCH, { flags: [READ_WEIGHTS], cwd: ROOT });
    assert.equal(nothing.code, 0, nothing.stderr);
    assert.match(
      nothing.stdout,
      /Result and chart were not written: that needs --allow-read=kvbench-results/,
    );
  });
});

Deno.test("doctor tells whether models fit a software adapter where it may ask for the system's memory", {
  ignore,
}, async () => {
  const flags = [READ_WEIGHTS, "--allow-sys=systemMemoryInfo"];
  const { code, stdout, stderr } = await kvbench(["doctor", "--json"], { flags, cwd: ROOT });
  assert.equal(code, 0, stderr);
  const { adapter, memory, models } = JSON.parse(stdout);
  if (!adapter.software) return assert.equal(memory.available_bytes, null);
  assert.ok(memory.available_bytes > 0);
  assert.notEqual(models[0].fits, "unknown");
});

Deno.test("docs/guide.md and --help name the least permissions of every subcommand", { ignore }, async () => {
  const guide = await Deno.readTextFile(`${ROOT}docs/guide.md`);
  const help = await stdoutOf(["--help"]);
  const names = [...help.matchAll(/^ {2}([a-z-]+) .*/gm)].map(([, name]) => name!).filter((name) =>
    name !== "help" && !name.startsWith("-")
  );
  assert.deepEqual(new Set(names), new Set(Object.keys(PERMISSIONS)));
  assert.deepEqual(new Set(COMMANDS.map(([name]) => name)), new Set(names));
  for (const [name, flags] of Object.entries(PERMISSIONS)) {
    const row = guide.split("\n").find((line) => line.startsWith(`| \`${name}`));
    const cell = row?.split(/(?<!\\)\|/)[3]?.trim() ?? "";
    assert.ok(cell.startsWith(`\`${flags[0]}`), `${name}: ${cell}`);
    for (const flag of flags) assert.ok(guide.includes(flag), `${name}: ${flag}`);
  }
  assert.match(
    await stdoutOf(["logits", "--help"]),
    /^Least permissions: --allow-read=weights,FOLDER --allow-write=/m,
  );
});

Deno.test(
  "Nothing is evaluated as code, and no program is started but by set-up and doctor",
  {
    ignore: !permitted("read"),
  },
  () => {
    for (const file of sourcesIn(new URL("../src/", import.meta.url))) {
      const text = Deno.readTextFileSync(file);
      assert.doesNotMatch(text, /\beval\(|new Function\(/, file.pathname);
      // The one worker runs a file of kvbench's own, whose text is a part of the program.
      const workers = text.match(/\bnew Worker\(.*/g) ?? [];
      const own = 'new Worker(`data:text/javascript,${encodeURIComponent(WORKER)}`, { type: "module" });';
      assert.deepEqual(
        workers,
        file.pathname.endsWith("/cli/terminal/interrupt.ts") ? [own] : [],
        file.pathname,
      );
      const starts = /Deno\.Command|node:child_process/.test(text);
      assert.equal(
        starts,
        /\/cli\/(commands\/doctor\/start_check|session\/backends)\.ts$/.test(file.pathname),
        file.pathname,
      );
    }
  },
);
