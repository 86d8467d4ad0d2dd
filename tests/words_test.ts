/**
 * Words that the sources keep to: a docstring begins with a verb or a noun, an error says what was expected, and a
 * default is named.
 */
import assert from "node:assert/strict";
import { permitted } from "./permitted.ts";

const ROOT = new URL("../", import.meta.url);
const SWEPT = ["src/", "tools/", "bench/", "wgsl/"];

/** The rules: a pattern that no source may hold, and the words to use instead. */
const RULES: Readonly<Record<string, { pattern: RegExp; instead: string }>> = {
  "A docstring begins with a verb or a noun": {
    pattern: /\/\*\*\s+(?:\* )?(?:What|How|Where|Whether)\b[^\n]*/g,
    instead: "a verb for a function, a noun phrase for the rest",
  },
  "A default is named": { pattern: /[^\n]*\bunless told otherwise\b/g, instead: '"Default: …"' },
  "An error says what was expected": {
    pattern: /^(?! *(?:\*|\/\/|\/\*)).*(?:[:,;] wanted (?=[\w$"(.])|\b(?:was|were) wanted\b).*$/gm,
    instead: '"expected …"',
  },
};

for (const [rule, { pattern, instead }] of Object.entries(RULES)) {
  Deno.test(rule, { ignore: !permitted("read") }, () => {
    const found = [...sources()].flatMap((file) => {
      const text = Deno.readTextFileSync(new URL(file, ROOT));
      return [...text.matchAll(pattern)].map((match) =>
        `${file}:${text.slice(0, match.index).split("\n").length}: ${match[0].replaceAll(/\s+/g, " ").trim()}`
      );
    });
    assert.deepEqual(found, [], `Expected ${instead}:\n${found.join("\n")}`);
  });
}

/** Yields the paths of all sources below the root, without tests. */
function* sources(folders: readonly string[] = SWEPT): Generator<string> {
  for (const folder of folders) {
    for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
      const path = `${folder}${name}`;
      if (isDirectory) yield* sources([`${path}/`]);
      else if (/(?<!_test)\.(ts|wgsl)$/.test(name)) yield path;
    }
  }
}
