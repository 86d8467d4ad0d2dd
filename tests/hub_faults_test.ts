/**
 * A hub that misbehaves: whatever it does, there is one clear line that names the file, nothing wrong gets its final
 * name in the cache, and what was there stays.
 */
import assert from "node:assert/strict";
import { Hub } from "../src/hub/hub.ts";
import {
  contentOf,
  cut,
  type Fault,
  MODEL,
  REPOSITORY,
  sha256,
  smallModel,
  withHub,
} from "./fixtures/hub.ts";
import { ignore as cliIgnore, kvbench } from "./cli_support.ts";
import {
  assertFails,
  CONTENT,
  fetchModel,
  finals,
  ignore,
  LENGTH,
  on,
  onContent,
  status,
  WEIGHTS,
  withHeaders,
} from "./hub_support.ts";

/** Faults for which there is no getting round. `tries` is how often the file was asked for. */
const FATAL: readonly (readonly [what: string, fault: Fault, message: RegExp, tries?: number])[] = [
  [
    "a wrong hash",
    on(WEIGHTS, "HEAD", (_, answer) => withHeaders(answer(), { "x-linked-etag": `"${"0".repeat(64)}"` })),
    /model\.safetensors: (its SHA-256 is [0-9a-f]{64}, the hub promises 0{64}|the hub's version is .+ now and was 0{64} before)/,
  ],
  [
    "content of another hash",
    onContent(() => contentOf({ headers: new Headers() }, new Uint8Array(LENGTH))),
    /model\.safetensors: its SHA-256 is [0-9a-f]{64}, the hub promises [0-9a-f]{64}$/,
    1,
  ],
  [
    "a wrong Git hash",
    on("config.json", "HEAD", (_, answer) => withHeaders(answer(), { etag: `"${"0".repeat(40)}"` })),
    /config\.json: its Git hash is [0-9a-f]{40}, the hub promises 0{40}$/,
  ],
  [
    "no hash at all",
    on(WEIGHTS, "HEAD", (_, answer) => withHeaders(answer(), { "x-linked-etag": null })),
    /model\.safetensors: .+(can't be verified|answered 302)/,
    0,
  ],
  [
    "weights whose ETag is no hash",
    on(WEIGHTS, "HEAD", (_, answer) => withHeaders(answer(), { "x-linked-etag": '"abc-7"' })),
    /model\.safetensors: the hub gives no SHA-256 of it \(X-Linked-ETag\), it can't be verified$/,
    0,
  ],
  [
    "an ETag that leads out of the cache",
    on(WEIGHTS, "HEAD", (_, answer) => withHeaders(answer(), { "x-linked-etag": '"../../../../x"' })),
    /model\.safetensors: the server names no hash of it/,
    0,
  ],
  [
    "a commit that leads out of the cache",
    on("config.json", "HEAD", (_, answer) => withHeaders(answer(), { "x-repo-commit": "../../../x" })),
    /config\.json: the server names no commit \(X-Repo-Commit\), it is not a hub$/,
    0,
  ],
  [
    "a server that is no hub",
    on("config.json", "HEAD", () => new Response(null, { headers: { etag: '"x"' } })),
    /config\.json: the server names no commit/,
    0,
  ],
  [
    "a body longer than promised",
    onContent(() => new Response(new Blob([CONTENT, "more"]).stream())),
    /model\.safetensors: the server sent more than its \d+ bytes$/,
    1,
  ],
  [
    "another length than promised",
    onContent(() => contentOf({ headers: new Headers() }, new Uint8Array(7))),
    /model\.safetensors: the server sends 7 bytes, expected \d+ of its \d+$/,
    1,
  ],
  [
    "bodies that are always short",
    onContent((_, answer) => new Response(cut(answer(), 100).body)),
    /model\.safetensors: .+ \(tried 3 times\)$/,
    3,
  ],
  [
    "401",
    status(401),
    /config\.json: the hub answered 401 [\w ]+: there is no such model, or it is private and wants a token/,
    0,
  ],
  ["403", status(403), /config\.json: the hub answered 403 [\w ]+: the token in HF_TOKEN has no access/, 0],
  [
    "404",
    status(404),
    /config\.json: the hub answered 404 [\w ]+: there is no such model, or it has no such file$/,
    0,
  ],
  ["500", status(500), /config\.json: the hub answered 500 Internal Server Error \(tried 3 times\)$/, 0],
  [
    "500 for the content",
    onContent(status(500)),
    /model\.safetensors: the hub answered 500 Internal Server Error \(tried 3 times\)$/,
    3,
  ],
  [
    "403 for the content",
    onContent(status(403)),
    /model\.safetensors: the hub answered 403/,
    1,
  ],
  [
    "429 for longer than it is worth",
    status(429, { "retry-after": "3600" }),
    /config\.json: the hub answered 429 Too Many Requests, and wants to be left alone for 3600 s$/,
    0,
  ],
  [
    "a redirect loop",
    on(WEIGHTS, "GET", () => new Response(null, { status: 302, headers: { location: "?again" } })),
    /model\.safetensors: it was redirected more than 10 times$/,
  ],
  [
    "a redirect to nowhere",
    on(
      WEIGHTS,
      "GET",
      () => new Response(null, { status: 302, headers: { location: "file:///etc/passwd" } }),
    ),
    /model\.safetensors: it was redirected to no address$/,
  ],
];

for (const [what, fault, message, tries] of FATAL) {
  Deno.test(`A hub that gives ${what} is refused, and the good earlier files stay`, { ignore }, async () => {
    await withHub(async (hub, cache) => {
      hub.fault = fault;
      await assertFails(fetchModel(hub, cache), message);
      assert.equal(
        (await finals(cache)).some((name) => name.includes(WEIGHTS) || name.includes("refs")),
        false,
      );
      if (tries !== undefined) assert.equal(hub.gets(WEIGHTS).length, tries, "tries");

      hub.fault = undefined;
      const { folder } = await fetchModel(hub, cache);
      const before = await finals(cache);
      // The same with a newer version: what is there stays, and stays in use.
      hub.commit = "d".repeat(40);
      const files = hub.files;
      hub.files = await smallModel(2);
      hub.fault = fault;
      await assertFails(fetchModel(hub, cache), message);
      assert.deepEqual((await finals(cache)).filter((name) => before.includes(name)), before);
      assert.deepEqual(await Deno.readFile(`${folder}/${WEIGHTS}`), files[WEIGHTS]);
      const used = await new Hub(hub.settings(cache, { offline: true })).open(MODEL);
      assert.equal(used.folder, folder);
    });
  });
}

Deno.test("A token goes to the hub and not to where it redirects", { ignore }, async () => {
  await withHub(async (hub, cache) => {
    await fetchModel(hub, cache, { token: "hf_test" });
    for (const { host, authorization } of hub.seen) {
      assert.equal(authorization, host === "hub" ? "Bearer hf_test" : null);
    }
    assert.ok(hub.gets(WEIGHTS).length > 0);
  });
});

Deno.test("Pickled weights are refused with the reason, and other architectures before weights are fetched", {
  ignore,
}, async () => {
  await withHub(async (hub, cache) => {
    hub.files = { "config.json": hub.files["config.json"]!, "pytorch_model.bin": new Uint8Array(9) };
    await assertFails(
      fetchModel(hub, cache),
      /^Cannot use someone\/small-gpt2: it has its weights in pytorch_model\.bin alone, a pickled file, which is a program/,
    );
    hub.files = await smallModel();
    hub.commit = "d".repeat(40);
    hub.files["config.json"] = new TextEncoder().encode('{"model_type":"llama"}');
    await assertFails(
      fetchModel(hub, cache),
      /^Cannot use config\.json of someone\/small-gpt2: model_type is "llama", expected gpt2$/,
    );
    assert.deepEqual(hub.gets(WEIGHTS), []);
    hub.files["config.json"] = new TextEncoder().encode("<html>");
    await assertFails(
      fetchModel(hub, cache),
      /^Cannot use .+\/config\.json: it is not JSON$/,
    );
  });
});

Deno.test("A disk that takes no more is named, and what is there is kept for the next try", {
  ignore: ignore || cliIgnore || Deno.build.os !== "linux",
}, async () => {
  await withHub(async (hub, cache) => {
    // A device that is always full, where the part would be. Deno opens a device only with every permission, which a
    // child gets and this process need not have.
    const blobs = `${cache}/models--someone--small-gpt2/blobs`;
    await Deno.mkdir(blobs, { recursive: true });
    await Deno.symlink("/dev/full", `${blobs}/${sha256(CONTENT)}.incomplete`);
    const { endpoint } = hub.settings(cache);
    const { code, stderr } = await kvbench(["weights", "pull", REPOSITORY], {
      flags: ["--allow-all", "--cached-only"],
      env: { HF_ENDPOINT: endpoint.toString(), HF_HUB_CACHE: cache },
    });
    assert.equal(code, 1, stderr);
    assert.match(
      stderr,
      /^kvbench: Cannot write .+\.incomplete: No space left on device: model\.safetensors has \d+ bytes, 0 are there and are kept$/m,
    );
    assert.equal((await finals(cache)).some((name) => name.includes(WEIGHTS)), false);
  });
});

Deno.test("A cache that can't be written is named", { ignore }, async () => {
  await withHub(async (hub, cache) => {
    await Deno.writeTextFile(cache, "a file");
    await assertFails(fetchModel(hub, `${cache}/hub`), /^Cannot write .+\/cache\/hub\/.+: Not a directory$/);
    await Deno.remove(cache);
    await Deno.mkdir(cache, { mode: 0o500 });
    if (Deno.uid() === 0) return; // nothing is read-only to root
    await assertFails(fetchModel(hub, cache), /^Cannot write .+: Permission denied$/);
  });
});
