import assert from "node:assert/strict";
import { PRESETS } from "../checkpoint/config.ts";
import { cachedNames, folderName, hubModelOf, nameOf, PUBLISHED, repositoryOfFolder } from "./names.ts";

Deno.test("hubModelOf() knows the published models and owner/name", () => {
  assert.deepEqual(Object.keys(PUBLISHED), Object.keys(PRESETS));
  assert.deepEqual(hubModelOf("gpt2-xl"), { repository: "openai-community/gpt2-xl", revision: "main" });
  for (const name of ["openai-community/gpt2", "a/b", "A_1/b.c-d", "_/_"]) {
    assert.deepEqual(hubModelOf(name), { repository: name, revision: "main" });
  }
});

Deno.test("hubModelOf() refuses what leads out of a folder, and what no hub calls a model", () => {
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
  for (const name of bad) assert.equal(hubModelOf(name), undefined, name);
});

Deno.test("hubModelOf() takes a branch, a tag, a commit and a pull request behind an @, and no path", () => {
  for (const revision of ["dev", "v1.0", "refs/pr/12", "a".repeat(40), "feature/x_y-z+1"]) {
    const model = hubModelOf(`a/b@${revision}`)!;
    assert.deepEqual(model, { repository: "a/b", revision });
    assert.equal(nameOf(model), `a/b@${revision}`);
  }
  assert.deepEqual(hubModelOf("gpt2@refs/pr/1"), {
    repository: "openai-community/gpt2",
    revision: "refs/pr/1",
  });
  assert.equal(nameOf(hubModelOf("a/b@main")!), "a/b");
  const bad = [
    "",
    "..",
    "../x",
    "a..b",
    "/a",
    "a/",
    "a//b",
    "-a",
    ".a",
    "a.",
    "a.lock",
    "a b",
    "a@b",
    "a\\b",
    "a\n",
  ];
  for (const revision of [...bad, "x".repeat(201)]) {
    assert.equal(hubModelOf(`a/b@${revision}`), undefined, revision);
  }
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
