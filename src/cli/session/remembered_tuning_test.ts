import assert from "node:assert/strict";
import { SOFTWARE_TUNING, type Tuning } from "../../model/tuning.ts";
import { CACHE_NAME, recallTuning, rememberTuning } from "./remembered_tuning.ts";

const TUNING: Tuning = { ...SOFTWARE_TUNING, name: "measured" };

async function withKey(use: (key: string, cache: Cache) => Promise<void>): Promise<void> {
  const key = `https://kvbench.invalid/${crypto.randomUUID()}`;
  const cache = await caches.open(CACHE_NAME);
  try {
    await use(key, cache);
  } finally {
    await cache.delete(key);
  }
}

Deno.test("recallTuning() gives what rememberTuning() kept last", async () => {
  await withKey(async (key) => {
    assert.equal(await recallTuning(key), undefined);
    for (const decodeLanes of [8, 16]) {
      assert.equal(await rememberTuning(key, { ...TUNING, decodeLanes }), undefined);
      assert.deepEqual(await recallTuning(key), { ...TUNING, decodeLanes });
    }
  });
});

Deno.test("recallTuning() ignores an entry that breaks off, after any byte, and one of another version", async () => {
  await withKey(async (key, cache) => {
    const whole = new TextEncoder().encode(JSON.stringify(TUNING));
    for (let bytes = 0; bytes < whole.length; bytes++) {
      await cache.put(key, new Response(whole.slice(0, bytes)));
      assert.equal(await recallTuning(key), undefined, `${bytes} bytes`);
    }
    for (const other of [{ ...TUNING, lanes: 1 }, { ...TUNING, decodeLanes: 0 }, null]) {
      await cache.put(key, new Response(JSON.stringify(other)));
      assert.equal(await recallTuning(key), undefined);
    }
    await cache.put(key, new Response(whole));
    assert.deepEqual(await recallTuning(key), TUNING);
  });
});

Deno.test("rememberTuning() says why it keeps nothing, and recallTuning() knows nothing then", async () => {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, "caches")!;
  const broken = {
    open: () =>
      Promise.resolve({
        match: () => Promise.reject(new Error("disk I/O error")),
        delete: () => Promise.resolve(true),
        put: () => Promise.reject(new Error("No space left on device")),
      }),
  };
  try {
    for (const [value, reason] of [[undefined, /no Web Cache/], [broken, /No space left/]] as const) {
      Object.defineProperty(globalThis, "caches", { value, configurable: true });
      assert.match((await rememberTuning("https://kvbench.invalid/x", TUNING))!, reason);
      assert.equal(await recallTuning("https://kvbench.invalid/x"), undefined);
    }
  } finally {
    Object.defineProperty(globalThis, "caches", descriptor);
  }
});
