/** Tests of byte sources: both kinds read the same bytes and refuse the same ranges. */
import assert from "node:assert/strict";
import { type ByteSource, memorySource } from "../checkpoint/byte_source.ts";
import { fileSource } from "./files.ts";
import { permitted } from "../../tests/permitted.ts";

const ignore = !permitted("read", "write");

const BYTES = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31) % 251);

async function withFile(test: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, BYTES);
    await test(path);
  } finally {
    await Deno.remove(path);
  }
}

async function checkReads(source: ByteSource): Promise<void> {
  assert.equal(source.size, BYTES.length);
  for (
    const [offset, length] of [[0, 0], [0, 1], [7, 65], [99_999, 1], [100_000, 0], [0, 100_000]] as const
  ) {
    assert.deepEqual(await source.read(offset, length), BYTES.slice(offset, offset + length));
  }
  for (
    const [offset, length] of [[-1, 1], [0, 100_001], [100_001, 0], [0, -1], [0.5, 1], [NaN, 1]] as const
  ) {
    await assert.rejects(source.read(offset, length), {
      name: "KvbenchError",
      message: /it has 100000 bytes$/,
    });
  }
}

Deno.test("memorySource() reads ranges and refuses others", async () => {
  await checkReads(memorySource(BYTES));
});

Deno.test("memorySource() gives the caller bytes of its own", async () => {
  const source = memorySource(Uint8Array.of(1, 2, 3));
  (await source.read(0, 3)).fill(9);
  assert.deepEqual(await source.read(0, 3), Uint8Array.of(1, 2, 3));
});

Deno.test("fileSource() reads ranges and refuses others", { ignore }, async () => {
  await withFile(async (path) => {
    const source = await fileSource(path);
    await checkReads(source);
    source.close();
    source.close();
    await assert.rejects(source.read(0, 1), { name: "KvbenchError", message: /has been closed$/ });
  });
});

Deno.test("fileSource() keeps concurrent reads apart", { ignore }, async () => {
  await withFile(async (path) => {
    const source = await fileSource(path);
    const offsets = Array.from({ length: 50 }, (_, i) => (i * 7919) % 90_000);
    const reads = await Promise.all(offsets.map((offset) => source.read(offset, 1000)));
    offsets.forEach((offset, i) => assert.deepEqual(reads[i], BYTES.slice(offset, offset + 1000)));
    source.close();
  });
});

Deno.test("fileSource() says so when the file became shorter", { ignore }, async () => {
  await withFile(async (path) => {
    const source = await fileSource(path);
    await Deno.truncate(path, 10);
    await assert.rejects(source.read(5, 10), { name: "KvbenchError", message: /became shorter/ });
    source.close();
  });
});

Deno.test("fileSource() names a file that is missing, and a folder", { ignore }, async () => {
  await assert.rejects(fileSource("no/such.file"), {
    name: "KvbenchError",
    message: "Cannot read no/such.file: there is no such file",
  });
  const folder = await Deno.makeTempDir();
  await assert.rejects(fileSource(folder), { name: "KvbenchError", message: /folder/i });
  await Deno.remove(folder);
});

Deno.test({
  name: "fileSource() asks for read permission by its flag",
  permissions: { read: false },
  fn: async () => {
    await assert.rejects(fileSource("x"), {
      name: "KvbenchError",
      message: "Cannot read x: no permission, run with --allow-read",
    });
  },
});
