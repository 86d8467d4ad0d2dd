/**
 * What `mod.ts` reaches is also run over HTTP, where no `deno.json` is read: its packages and its version are written
 * down twice, and must be the same. And a run fetches what it imports, though the lock has more.
 */
import assert from "node:assert/strict";
import manifestText from "../deno.json" with { type: "text" };
import lockText from "../deno.lock" with { type: "text" };
import { VERSION } from "../src/base/version.ts";
import { inScratch, MOD, runDeno } from "./cli_support.ts";
import { permitted } from "./permitted.ts";
import { importsOf, reachedFrom, scriptsIn, sourcesIn } from "./sources.ts";

const ignore = !permitted("read");
const manifest: { version: string; imports: Record<string, string> } = JSON.parse(
  manifestText.replaceAll(/^ *\/\/.*$/gm, ""), // comments
);
const lock: { specifiers: Record<string, string>; npm: Record<string, LockedPackage> } = JSON.parse(lockText);
const ROOT = new URL("../", import.meta.url);

interface LockedPackage {
  readonly integrity: string;
  readonly dependencies?: readonly string[];
  readonly optionalDependencies?: readonly string[];
}

/** The packages that every run of a checkout fetches once, besides what they depend on. */
const OF_A_RUN = [
  "@noble/hashes",
  "chart.js",
  "cli-progress",
  "cli-table3",
  "commander",
  "eventsource-parser",
  "gpt-tokenizer",
  "prom-client",
  "zod",
];

Deno.test("VERSION is deno.json's version", () => {
  assert.equal(VERSION, manifest.version);
});

Deno.test("deno.json pins each package to one version", () => {
  for (const [name, specifier] of Object.entries(manifest.imports)) {
    assert.match(specifier, new RegExp(`^npm:${name}@\\d+\\.\\d+\\.\\d+$`));
  }
});

Deno.test("deno.lock has the packages of deno.json and no others, and every package by its hash", () => {
  assert.deepEqual(new Set(Object.keys(lock.specifiers)), new Set(Object.values(manifest.imports)));
  assert.deepEqual(Object.keys(lock).sort(), ["npm", "specifiers", "version", "workspace"]);
  for (const [name, { integrity }] of Object.entries(lock.npm)) {
    assert.match(integrity, /^sha512-[\w+/]{86}==$/, name);
  }
});

Deno.test("Inline npm: specifiers name the versions that deno.json names", { ignore }, () => {
  const pinned = Object.values(manifest.imports);
  for (const file of sourcesIn(new URL("src/", ROOT))) {
    for (const [specifier] of Deno.readTextFileSync(file).matchAll(/(?<=")npm:[^"*]+(?=")/g)) {
      const found = pinned.some((each) => specifier === each || specifier.startsWith(`${each}/`));
      assert.ok(found, `${file.pathname}: ${specifier} is not in deno.json`);
    }
  }
});

/** Packages that many files use, and the file that names their version for all. */
const NAMED_ONCE = {
  "cli-table3": "src/report/text_table.ts",
  commander: "src/cli/options/commander.ts",
  zod: "src/base/zod.ts",
};

for (const [name, file] of Object.entries(NAMED_ONCE)) {
  Deno.test(`Only ${file} imports the package ${name}`, { ignore }, () => {
    const importing = ["src/", "tests/", "bench/"].flatMap((folder) => scriptsIn(new URL(folder, ROOT)))
      .filter((each) => importsOf(each).some((specifier) => packageOf(specifier) === name));
    assert.deepEqual(importing.map(({ href }) => href.slice(ROOT.href.length)), [file]);
  });
}

Deno.test("What mod.ts reaches imports nothing but files beside it, npm: with a version, and node:", {
  ignore,
}, () => {
  const reached = reachedFrom(new URL("mod.ts", ROOT));
  assert.ok(reached.length > 40, `only ${reached.length} files`);
  for (const file of reached) {
    for (const specifier of importsOf(file)) {
      assert.match(specifier, /^(\.\.?\/|npm:(@[^/@]+\/)?[^/@]+@\d+\.\d+\.\d+(\/|$)|node:)/, file.pathname);
    }
  }
});

/** The npm package of a specifier, inline or by its name in deno.json; undefined where it is none. */
function packageOf(specifier: string): string | undefined {
  return /^(?:npm:)?((?:@[^/@]+\/)?[a-z][^/@:]*)(?:[@/]|$)/.exec(specifier)?.[1];
}

Deno.test("A run in a checkout with an empty cache fetches what it imports alone, and warns of nothing", {
  ignore: !permitted("read", "write", "run", "env"),
}, async () => {
  await inScratch(async (cache) => {
    const { code, stdout, stderr } = await runDeno(["run", "--no-prompt", MOD, "generate", "--help"], {
      env: { DENO_DIR: cache },
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Usage: kvbench generate /m);
    const lines = stderr.trimEnd().split("\n");
    assert.deepEqual(lines.filter((line) => !line.startsWith("Download ")), []);
    const fetched = lines.filter((line) => line.endsWith(".tgz")).sort();
    const wanted = OF_A_RUN.flatMap(lockedWith).map((key) => key.replace(/@[^@]*$/, ""));
    assert.deepEqual(
      fetched.map((line) => wanted.find((name) => line.includes(`/${name}/-/`)) ?? line).sort(),
      [
        ...new Set(wanted),
      ].sort(),
    );
  });
});

/** The lock's keys of a package and of all that it depends on. */
function lockedWith(name: string): string[] {
  const key = Object.keys(lock.npm).find((each) => each.startsWith(`${name}@`));
  assert.ok(key !== undefined, `${name} is not in the lock`);
  const { dependencies = [], optionalDependencies = [] } = lock.npm[key]!;
  return [key, ...[...dependencies, ...optionalDependencies].flatMap(lockedWith)];
}
