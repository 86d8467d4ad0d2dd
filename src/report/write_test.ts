import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { KvbenchError } from "../errors.ts";
import { nextResultName, writeWhole } from "./write.ts";
import { permitted } from "../../tests/permitted.ts";

const ignore = !permitted("read", "write");

async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kvbench-write-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const names = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();

Deno.test("writeWhole() creates the folder and leaves nothing but the file", { ignore }, async () => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "a", "b", "run.json");
    await writeWhole(path, "深度");
    assert.equal(await Deno.readTextFile(path), "深度");
    await writeWhole(path, new Uint8Array([1, 2, 3]));
    assert.deepEqual(await Deno.readFile(path), new Uint8Array([1, 2, 3]));
    assert.deepEqual(await names(join(folder, "a", "b")), ["run.json"]);
  });
});

Deno.test("writeWhole() writes to a relative path", { ignore }, async () => {
  await inTemporaryFolder(async (folder) => {
    await writeWhole(relative(Deno.cwd(), join(folder, "run.json")), "{}");
    assert.deepEqual(await names(folder), ["run.json"]);
  });
});

Deno.test(
  "writeWhole() says which path failed and why, and removes its temporary file",
  { ignore },
  async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, "taken");
      await Deno.mkdir(join(path, "inside"), { recursive: true }); // a file cannot be renamed over a folder
      await assert.rejects(writeWhole(path, "x"), (error: unknown) => {
        assert.ok(error instanceof KvbenchError);
        assert.match(error.message, /^Cannot write .*taken: Is a directory/);
        assert.doesNotMatch(error.message, /tmp-|\n/);
        return true;
      });
      assert.deepEqual(await names(folder), ["taken"]);
    });
  },
);

Deno.test("writeWhole() refuses a folder that is a file", { ignore }, async () => {
  await inTemporaryFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "file"), "");
    await assert.rejects(writeWhole(join(folder, "file", "run.json"), "x"), {
      name: "KvbenchError",
      message: /^Cannot write .*run\.json: /,
    });
  });
});

Deno.test("nextResultName() is the UTC time, numbered when a file has it already", { ignore }, async () => {
  await inTemporaryFolder(async (folder) => {
    const when = new Date("2026-01-02T03:04:05.678Z");
    assert.equal(await nextResultName(join(folder, "missing"), when), "kvbench-20260102-030405");
    assert.equal(await nextResultName(folder, when), "kvbench-20260102-030405");
    await Deno.writeTextFile(join(folder, "kvbench-20260102-030405.png"), "");
    assert.equal(await nextResultName(folder, when), "kvbench-20260102-030405-2");
    await Deno.writeTextFile(join(folder, "kvbench-20260102-030405-2.json"), "");
    assert.equal(await nextResultName(folder, when), "kvbench-20260102-030405-3");
  });
});
