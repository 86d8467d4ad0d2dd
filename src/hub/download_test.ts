/**
 * Tests of downloads against a server on loopback: a file is fetched once, and whatever isn't exactly the file
 * is refused and never kept. They run with net permission for loopback alone.
 */
import assert from "node:assert/strict";
import { CACHE_NAME, cacheKey, download, type PinnedFile } from "./download.ts";
import { permitted } from "../../tests/permitted.ts";

const ignore = !permitted("net");

const CONTENT = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256);
const SHA256 = new Uint8Array(await crypto.subtle.digest("SHA-256", CONTENT)).toHex();

const LEAST: Deno.PermissionOptionsObject = {
  net: ["127.0.0.1"],
  env: false,
  ffi: false,
  import: false,
  read: false,
  run: false,
  sys: false,
  write: false,
};

type Answer = (request: Request) => Response | Promise<Response>;

/** Declares a test with a server that gives `answer`, and with the file as it should arrive. */
function serverTest(
  name: string,
  answer: Answer,
  test: (file: PinnedFile, requests: () => number) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore,
    permissions: LEAST,
    fn: async () => {
      let requests = 0;
      const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
        requests++;
        return answer(request);
      });
      const url = new URL(`http://127.0.0.1:${server.addr.port}/w/file.bin`);
      const file = { url, bytes: CONTENT.length, sha256: SHA256 };
      try {
        await test(file, () => requests);
      } finally {
        await (await caches.open(CACHE_NAME)).delete(cacheKey(file));
        await server.shutdown();
      }
    },
  });
}

/** Two tries without a pause worth the name. */
const RETRY = { tries: 2, firstPauseMs: 1, maxPauseMs: 1000 };

/** The download fails with this message, and fails again: nothing was kept. */
async function assertFails(file: PinnedFile, message: RegExp): Promise<void> {
  for (let i = 0; i < 2; i++) {
    await assert.rejects(download(file, { retry: RETRY }), { message });
  }
  assert.equal(await (await caches.open(CACHE_NAME)).match(cacheKey(file)), undefined);
}

serverTest(
  "download() fetches a file once and reports progress",
  () => new Response(CONTENT),
  async (file, requests) => {
    const progress: (readonly [number, number])[] = [];
    const onProgress = (received: number, total: number) => progress.push([received, total]);
    assert.deepEqual(await download(file, { onProgress }), CONTENT);
    assert.deepEqual(progress.at(-1), [CONTENT.length, CONTENT.length]);
    const calls = progress.length;
    assert.deepEqual(await download(file, { onProgress }), CONTENT);
    assert.equal(progress.length, calls);
    assert.equal(requests(), 1);
  },
);

serverTest(
  "download() doesn't trust a damaged cache",
  () => new Response(CONTENT),
  async (file, requests) => {
    const cache = await caches.open(CACHE_NAME);
    await cache.put(cacheKey(file), new Response(CONTENT.subarray(1)));
    assert.deepEqual(await download(file), CONTENT);
    assert.deepEqual(await download(file), CONTENT);
    assert.equal(requests(), 1);
  },
);

serverTest(
  "download() works where there is no Web Cache",
  () => new Response(CONTENT),
  async (file, requests) => {
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, "caches");
    assert(descriptor?.configurable);
    Object.defineProperty(globalThis, "caches", { value: undefined, configurable: true });
    try {
      assert.deepEqual(await download(file), CONTENT);
      assert.deepEqual(await download(file), CONTENT);
    } finally {
      Object.defineProperty(globalThis, "caches", descriptor);
    }
    assert.equal(requests(), 2);
  },
);

let failures = 0;

serverTest(
  "download() asks again where the server answers with a passing failure or breaks off, and says so",
  () =>
    [new Response("", { status: 503 }), new Response(CONTENT.subarray(1))][failures++] ??
      new Response(CONTENT),
  async (file, requests) => {
    const reasons: string[] = [];
    const retry = { ...RETRY, tries: 3 };
    assert.deepEqual(await download(file, { retry, onRetry: (reason) => reasons.push(reason) }), CONTENT);
    assert.match(reasons.join("\n"), /answered 503 .+\n.+ ended after 69999 of 70000 bytes$/);
    assert.equal(requests(), 3);
  },
);

serverTest(
  "download() names the status of a refusal",
  () => new Response("no", { status: 404 }),
  async (file, requests) => {
    await assertFails(
      file,
      /^Cannot download http:.*file\.bin: the server answered 404 Not Found, expected weights\/ beside the program$/,
    );
    assert.equal(requests(), 2);
  },
);

serverTest("download() refuses a short file", () => new Response(CONTENT.subarray(0, 999)), async (file) => {
  await assertFails(file, /: it ended after 999 of 70000 bytes \(tried 2 times\)$/);
});

serverTest(
  "download() refuses a file that is too long",
  () => new Response(new Blob([CONTENT, "x"])),
  async (file) => {
    await assertFails(file, /: the server sent more than its 70000 bytes$/);
  },
);

serverTest(
  "download() refuses another file of the same length",
  () => new Response(CONTENT.map((b) => b ^ 1)),
  async (file) => {
    await assertFails(file, /: its SHA-256 is not [0-9a-f]{64}, the server has another version of the file$/);
  },
);

Deno.test("download() says how far it came when the connection breaks", { ignore }, async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\nabc"));
      connection.close();
    }
  })();
  const url = new URL(`http://127.0.0.1:${listener.addr.port}/file.bin`);
  await assertFails(
    { url, bytes: 70_000, sha256: SHA256 },
    /: it broke off after 3 of 70000 bytes \(.+\) \(tried 2 times\)$/,
  );
  listener.close();
  await serving;
});

Deno.test("download() says so when there is no server", { ignore }, async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const url = new URL(`http://127.0.0.1:${port}/file.bin`);
  await assertFails({ url, bytes: 1, sha256: "" }, /^Cannot download http:.*file\.bin: .*refused/i);
});

Deno.test({
  name: "download() asks for net permission by its flag",
  permissions: { net: false },
  fn: async () => {
    const url = new URL("http://127.0.0.1:4507/file.bin");
    await assertFails(
      { url, bytes: 1, sha256: "" },
      /: no permission for 127\.0\.0\.1:4507, run with --allow-net=127\.0\.0\.1:4507$/,
    );
  },
});
