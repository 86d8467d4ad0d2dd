/**
 * What `mod.ts` reaches is also run over HTTP, where no `deno.json` is read: its packages and its version are written
 * down twice, and must be the same.
 *
 * @module
 */
import assert from "node:assert/strict";
import manifestText from "../deno.json" with { type: "text" };
import lockText from "../deno.lock" with { type: "text" };
import { VERSION } from "../src/version.ts";
import { permitted } from "./permitted.ts";
import { importsOf, reachedFrom, scriptsIn, sourcesIn } from "./sources.ts";

const ignore = !permitted("read");
const manifest: { version: string; imports: Record<string, string> } = JSON.parse(
  manifestText.replaceAll(/^ *\/\/.*$/gm, ""), // comments
);
const ROOT = new URL("../", import.meta.url);

Deno.test("VERSION is deno.json's version", () => {
  assert.equal(VERSION, manifest.version);
});

Deno.test("deno.json pins each package to one version", () => {
  for (const [name, specifier] of Object.entries(manifest.imports)) {
    assert.match(specifier, new RegExp(`^npm:${name}@\\d+\\.\\d+\\.\\d+$`));
  }
});

Deno.test("deno.lock has the packages of deno.json and no others, and every package by its hash", () => {
  const lock: { specifiers: object; npm: Record<string, { integrity: string }> } = JSON.parse(lockText);
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
const NAMED_ONCE = { commander: "src/cli/commander.ts", zod: "src/base/zod.ts" };

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
