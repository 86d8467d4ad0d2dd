import assert from "node:assert/strict";
import { PRESETS } from "../checkpoint/config.ts";
import { cachedNames, folderName, PUBLISHED, repositoryOf, repositoryOfFolder } from "./names.ts";

Deno.test("repositoryOf() knows the published models and owner/name", () => {
  assert.deepEqual(Object.keys(PUBLISHED), Object.keys(PRESETS));
  assert.equal(repositoryOf("gpt2-xl"), "openai-community/gpt2-xl");
  for (const name of ["openai-community/gpt2", "a/b", "A_1/b.c-d", "_/_"]) {
    assert.equal(repositoryOf(name), name);
  }
});

Deno.test("repositoryOf() refuses what leads out of a folder, and what no hub calls a model", () => {
  const bad = [
    ...[
      "",
      "gpt9",
      "toString",
      "a",
      "/",
      "a/",
      "/b",
      "a/b/c",
      "a//b",
      "a\\b",
      "a b/c",
      "a/b\n",
      "a/b?c",
      "a/b#c",
    ],
    ...[
      "../b",
      "a/..",
      "./b",
      "a/.",
      "a/.b",
      "a/b.",
      "-a/b",
      "a/b-",
      "a/b--c",
      "a--b/c",
      "a/b..c",
      "a/b.git",
    ],
    ...["a/%2e%2e", "a/é", `a/${"b".repeat(95)}`, "https://x/y"],
  ];
  for (const name of bad) assert.equal(repositoryOf(name), undefined, name);
});

Deno.test("A repository has one folder, and a published model the one of its old name too", () => {
  assert.deepEqual(cachedNames("openai-community/gpt2"), ["openai-community/gpt2", "gpt2"]);
  assert.deepEqual(cachedNames("a/gpt2"), ["a/gpt2"]);
  for (const name of ["openai-community/gpt2", "gpt2", "a/b"]) {
    assert.equal(repositoryOfFolder(folderName(name)), name);
  }
  for (const folder of ["models--a--b--c", "datasets--a--b", ".locks", "version.txt"]) {
    assert.equal(repositoryOfFolder(folder), undefined, folder);
  }
});
