/**
 * Tests of the embedded model from each place it can come from, with no more permission than that place needs.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { CACHE_NAME, cacheKey } from "./download.ts";
import { EMBEDDED_FILES, openEmbedded } from "./embedded.ts";
import { permitted } from "../../tests/permitted.ts";

const FOLDER = new URL("../../weights/tiny/", import.meta.url);
const ignore = !permitted("read");
// Read up here, since some tests run without read permission.
const CONFIG = ignore ? new Uint8Array() : await Deno.readFile(new URL("config.json", FOLDER));
const WEIGHTS = ignore ? new Uint8Array() : await Deno.readFile(new URL("model.safetensors", FOLDER));

const NONE: Deno.PermissionOptionsObject = {
  env: false,
  ffi: false,
  import: false,
  net: false,
  read: false,
  run: false,
  sys: false,
  write: false,
};

Deno.test("EMBEDDED_FILES describes the committed files", { ignore }, async () => {
  for (const [bytes, expected] of [[CONFIG, "config.json"], [WEIGHTS, "model.safetensors"]] as const) {
    const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    assert.deepEqual({ bytes: bytes.length, sha256 }, EMBEDDED_FILES[expected]);
  }
});

Deno.test({
  name: "openEmbedded() opens the files on disk with read permission for their folder alone",
  ignore,
  permissions: { ...NONE, read: [fileURLToPath(FOLDER)] },
  fn: async () => {
    const checkpoint = await openEmbedded({ onProgress: () => assert.fail("nothing is downloaded") });
    assert.equal(checkpoint.name, "tiny");
    assert.equal(checkpoint.config.nLayer, 6);
    assert.equal((await checkpoint.read("wpe.weight")).length, 1024 * 128);
    checkpoint.close();
  },
});

Deno.test({
  name: "openEmbedded() downloads the files once, with net permission for their host alone",
  ignore: ignore || !permitted("net"),
  permissions: { ...NONE, net: ["127.0.0.1"] },
  fn: async () => {
    const requests: string[] = [];
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
      const { pathname } = new URL(url);
      requests.push(pathname);
      return new Response(pathname.endsWith(".json") ? CONFIG : WEIGHTS);
    });
    const base = new URL(`http://127.0.0.1:${server.addr.port}/weights/tiny/`);
    try {
      let received = 0;
      const said: string[] = [];
      for (let i = 0; i < 2; i++) {
        const checkpoint = await openEmbedded({
          base,
          onDownload: ({ url }) => said.push(url.pathname),
          onProgress: (bytes) => received = bytes,
        });
        assert.equal((await checkpoint.read("ln_f.bias")).length, 128);
        checkpoint.close();
      }
      assert.equal(received, WEIGHTS.length);
      assert.deepEqual(said, ["/weights/tiny/model.safetensors"]);
      assert.deepEqual(requests, ["/weights/tiny/config.json", "/weights/tiny/model.safetensors"]);
    } finally {
      const cache = await caches.open(CACHE_NAME);
      for (const [name, file] of Object.entries(EMBEDDED_FILES)) {
        await cache.delete(cacheKey({ url: new URL(name, base), ...file }));
      }
      await server.shutdown();
    }
  },
});

Deno.test(
  "openEmbedded() names a file that is missing, and an address that it can't use",
  { ignore },
  async () => {
    await assert.rejects(openEmbedded({ base: new URL("file:///no/such/folder/") }), {
      name: "KvbenchError",
      message: "Cannot read /no/such/folder/config.json: there is no such file",
    });
    await assert.rejects(openEmbedded({ base: new URL("data:,x") }), {
      name: "KvbenchError",
      message: "Cannot open the embedded model at data:,x: expected a file or HTTP address",
    });
  },
);
