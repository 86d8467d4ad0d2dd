/**
 * Words that the sources keep to: a docstring begins with a verb or a noun, an error says what was expected, and a
 * default is named.
 *
 * @module
 */
import assert from "node:assert/strict";
import { permitted } from "./permitted.ts";

const ROOT = new URL("../", import.meta.url);
const SWEPT = ["src/", "tools/", "bench/", "wgsl/"];
/** Folders and files that are still to be swept. */
const NOT_YET: readonly string[] = ["src/model/gpt2.ts", "src/model/weights.ts"];

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

Deno.test(
  "No folder that is swept stays on the list of those that are not",
  { ignore: !permitted("read") },
  () => {
    const clean = NOT_YET.filter((prefix) => {
      const texts = [...sources([])].filter((file) => file.startsWith(prefix))
        .map((file) => Deno.readTextFileSync(new URL(file, ROOT)));
      return !texts.some((text) => Object.values(RULES).some(({ pattern }) => text.search(pattern) >= 0));
    });
    assert.deepEqual(clean, []);
  },
);

/** Yields the paths of all sources below the root, without tests. */
function* sources(skipped = NOT_YET, folders: readonly string[] = SWEPT): Generator<string> {
  for (const folder of folders) {
    for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
      const path = `${folder}${name}`;
      if (skipped.some((prefix) => path.startsWith(prefix))) continue;
      if (isDirectory) yield* sources(skipped, [`${path}/`]);
      else if (/(?<!_test)\.(ts|wgsl)$/.test(name)) yield path;
    }
  }
}
