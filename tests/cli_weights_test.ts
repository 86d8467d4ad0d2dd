/**
 * `kvbench weights` and models of the hub as a user runs them: with the documented permissions, two processes at once,
 * and a hub that fails.
 */
import assert from "node:assert/strict";
import { HUB_VARIABLES } from "../src/hub/settings.ts";
import { ignore as noCli, kvbench, namesIn, type RunResult } from "./cli_support.ts";
import { REPOSITORY, sha256, type TestHub, withHub } from "./fixtures/hub.ts";
import { permitted } from "./permitted.ts";

const ignore = noCli || !permitted("net");
const WEIGHTS = "model.safetensors";
const HOME = "models--someone--small-gpt2";

/** The permissions that `docs/guide.md` names for a model of the hub. */
function flagsFor(hub: TestHub, cache: string): string[] {
  return [
    `--allow-env=${HUB_VARIABLES}`,
    `--allow-net=${[hub.origin, hub.storeOrigin].map((origin) => new URL(origin).host)}`,
    `--allow-read=${cache}`,
    `--allow-write=${cache}`,
  ];
}

function run(
  hub: TestHub,
  cache: string,
  args: readonly string[],
  flags = flagsFor(hub, cache),
): Promise<RunResult> {
  const env = { HF_ENDPOINT: hub.origin, HF_HUB_CACHE: cache, HF_HUB_DOWNLOAD_TIMEOUT: "5" };
  return kvbench(args, { flags, env });
}

Deno.test("A model of the hub is fetched and used with the documented permissions, each of which it needs", {
  ignore,
}, async () => {
  await withHub(async (hub, cache) => {
    const args = [
      "generate",
      "--no-autotune",
      "--model",
      REPOSITORY,
      "--prompt-ids",
      "1,2",
      "--max-new-tokens",
      "3",
      "--output",
      "ids",
    ];
    const flags = flagsFor(hub, cache);
    for (const flag of flags) {
      const { code, stdout, stderr } = await run(hub, cache, args, flags.filter((other) => other !== flag));
      assert.deepEqual([code, stdout], [1, ""], `without ${flag}`);
      assert.match(stderr, new RegExp(`^kvbench: [^\\n]*${flag.split("=")[0]}[^\\n]*\\n$`));
    }
    const first = await run(hub, cache, args);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /^\d+,\d+,\d+\n$/);
    // Without links to anywhere, which need more permission: the content is there twice in name and once on the disk.
    const blob = await Deno.stat(`${cache}/${HOME}/blobs/${sha256(hub.files[WEIGHTS]!)}`);
    assert.equal((await Deno.lstat(`${cache}/${HOME}/snapshots/${hub.commit}/${WEIGHTS}`)).ino, blob.ino);

    const asked = hub.seen.length;
    const cached = flags.filter((flag) => !/net|write/.test(flag));
    // What stderr says of kernels that a cold driver compiles differs.
    const again = await run(hub, cache, args, cached);
    assert.deepEqual([again.code, again.stdout], [0, first.stdout]);
    assert.equal(hub.seen.length, asked);
  });
});

Deno.test("Two processes that want a model share one download", { ignore }, async () => {
  await withHub(async (hub, cache) => {
    // Slow, so that the second one comes in the middle.
    hub.fault = (seen, answer) => {
      const response = answer();
      if (seen.host === "hub") return response;
      const slow = new TransformStream<Uint8Array, Uint8Array>({
        async transform(chunk, controller) {
          controller.enqueue(chunk.subarray(0, 1000));
          await new Promise((resolve) => setTimeout(resolve, 3000));
          controller.enqueue(chunk.subarray(1000));
        },
      });
      return new Response(response.body!.pipeThrough(slow), { headers: response.headers });
    };
    const results = await Promise.all([0, 1].map(() => run(hub, cache, ["weights", "pull", REPOSITORY])));
    for (const { code, stdout, stderr } of results) {
      assert.equal(code, 0, stderr);
      assert.equal(stdout, `${REPOSITORY}: ${cache}/${HOME}/snapshots/${hub.commit}\n`);
    }
    assert.equal(hub.gets(WEIGHTS).length, 1);
    assert.equal(results.filter(({ stderr }) => stderr.includes("Waiting for another process")).length, 1);
    assert.deepEqual(namesIn(`${cache}/${HOME}/blobs`).filter((name) => name.includes(".")), []);
  });
});

Deno.test("A process that was killed in the middle of a download locks nobody out, and its part is used", {
  ignore,
}, async () => {
  await withHub(async (hub, cache) => {
    let sent = () => {};
    const arrived = new Promise<void>((resolve) => sent = resolve);
    hub.fault = (seen, answer) => {
      const response = answer();
      if (seen.host === "hub") return response;
      const hanging = new TransformStream<Uint8Array, Uint8Array>({
        async transform(chunk, controller) {
          controller.enqueue(chunk.subarray(0, 1000));
          sent();
          await new Promise(() => {});
        },
      });
      return new Response(response.body!.pipeThrough(hanging), { headers: response.headers });
    };
    const part = `${cache}/${HOME}/blobs/${sha256(hub.files[WEIGHTS]!)}.incomplete`;
    await using victim = startPull(hub, cache);
    await arrived;
    while ((await Deno.stat(part).catch(() => undefined))?.size !== 1000) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    victim.kill("SIGKILL");
    await victim.status;

    hub.fault = undefined;
    const { code, stderr } = await run(hub, cache, ["weights", "pull", REPOSITORY]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(hub.gets(WEIGHTS).at(-1)?.range, "bytes=1000-");
  });
});

Deno.test(
  "weights list, verify and rm tell what is there, and exit with 1 where it is damaged",
  { ignore },
  async () => {
    await withHub(async (hub, cache) => {
      const weights = (...args: string[]) => run(hub, cache, ["weights", ...args]);
      assert.equal((await weights("list")).stdout, `No GPT-2 model in ${cache}\n`);
      assert.equal((await weights("pull", REPOSITORY)).code, 0);

      const listed = JSON.parse((await weights("list", "--json")).stdout);
      const bytes = Object.values(hub.files).reduce((sum, { length }) => sum + length, 0);
      assert.deepEqual(listed, {
        cache,
        models: [{
          name: REPOSITORY,
          n_parameters: 3416,
          bytes,
          incomplete_bytes: 0,
          commit: hub.commit,
          folder: `${cache}/${HOME}/snapshots/${hub.commit}`,
          missing: null,
        }],
        others: 0,
      });
      assert.match(
        (await weights("list")).stdout,
        /someone\/small-gpt2 .* 3 416 .* cccccccccccc .* complete/,
      );

      const ok = await weights("verify");
      assert.deepEqual([ok.code, ok.stdout.match(/: ok \(/g)?.length], [0, 2]);
      const file = `${cache}/${HOME}/snapshots/${hub.commit}/${WEIGHTS}`;
      const content = await Deno.readFile(file);
      content[content.length - 1]! ^= 1;
      await Deno.writeFile(file, content);
      const damaged = await weights("verify", REPOSITORY);
      assert.equal(damaged.code, 1);
      assert.match(damaged.stdout, /model\.safetensors: DAMAGED/);
      assert.match(
        damaged.stderr,
        /^kvbench: model\.safetensors of someone\/small-gpt2: the content is not what its hash says/,
      );

      assert.match((await weights("rm", REPOSITORY)).stdout, /^someone\/small-gpt2: removed, /);
      const nothing = await weights("rm", REPOSITORY);
      assert.deepEqual([nothing.code, nothing.stderr], [
        1,
        `kvbench: Model ${REPOSITORY} is not in ${cache}\n`,
      ]);
      for (const bad of ["../../etc", "a/../b", "gpt9"]) {
        assert.equal((await weights("rm", bad)).code, 2, bad);
      }
    });
  },
);

function startPull(hub: TestHub, cache: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--cached-only",
      ...flagsFor(hub, cache),
      "mod.ts",
      "weights",
      "pull",
      REPOSITORY,
    ],
    cwd: new URL("../", import.meta.url),
    env: { HF_ENDPOINT: hub.origin, HF_HUB_CACHE: cache, HF_HUB_DOWNLOAD_TIMEOUT: "60" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}
