import assert from "node:assert/strict";
import { permitted } from "../../tests/permitted.ts";
import { Lock } from "./lock.ts";

const ignore = !permitted("read", "write");

Deno.test(
  "A lock is held by one, waited for by others, and free when it is given back",
  { ignore },
  async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/new/x.lock`;
    try {
      const first = await Lock.take(path);
      assert.equal(await Lock.try(path), undefined);
      let waited = 0;
      const waiting = Lock.take(path, () => {
        if (++waited === 2) first[Symbol.dispose]();
      });
      (await waiting)[Symbol.dispose]();
      assert.ok(waited >= 2);
      // The file that is left locks nothing.
      assert.ok((await Deno.stat(path)).isFile);
      using _again = await Lock.take(path, () => assert.fail("nobody has it"));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test("Lock.try() says what can't be written", { ignore }, async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/file`, "");
    await assert.rejects(Lock.try(`${folder}/file/x.lock`), {
      name: "KvbenchError",
      message: `Cannot write ${folder}/file/x.lock: File exists`,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
