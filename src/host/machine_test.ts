import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { permitted } from "../../tests/permitted.ts";
import { gitCommit } from "./machine.ts";

const ignore = !permitted("read", "write");
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** Lays out git's files as given, and asks for the commit at `tree/`. */
async function commitOf(files: Record<string, string>): Promise<string | null> {
  const folder = await Deno.makeTempDir({ prefix: "kvbench_git_" });
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = `${folder}/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(path, text.replaceAll("FOLDER", folder));
    }
    return await gitCommit(pathToFileURL(`${folder}/tree/`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test(
  "gitCommit() reads a branch, a packed branch, a detached head and a linked worktree",
  { ignore },
  async () => {
    const branch = { "tree/.git/HEAD": "ref: refs/heads/main\n" };
    assert.equal(await commitOf({ ...branch, "tree/.git/refs/heads/main": `${COMMIT}\n` }), COMMIT);
    const packed = `# pack-refs with: peeled\n${
      "f".repeat(40)
    } refs/heads/other\n${COMMIT} refs/heads/main\n`;
    assert.equal(await commitOf({ ...branch, "tree/.git/packed-refs": packed }), COMMIT);
    assert.equal(await commitOf({ "tree/.git/HEAD": `${COMMIT}\n` }), COMMIT);
    const linked = {
      "tree/.git": "gitdir: FOLDER/main/.git/worktrees/w\n",
      "main/.git/worktrees/w/HEAD": "ref: refs/heads/w\n",
      "main/.git/worktrees/w/commondir": "../..\n",
      "main/.git/refs/heads/w": `${COMMIT}\n`,
    };
    assert.equal(await commitOf(linked), COMMIT);
  },
);

Deno.test(
  "gitCommit() is null outside of a checkout, and where nothing is committed",
  { ignore },
  async () => {
    assert.equal(await commitOf({ "work/README": "" }), null);
    assert.equal(await commitOf({ "tree/.git/HEAD": "ref: refs/heads/main\n" }), null);
    assert.equal(await commitOf({ "tree/.git/HEAD": "garbage" }), null);
    assert.equal(await gitCommit(new URL("https://example.org/")), null);
  },
);
