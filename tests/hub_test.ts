/** Models of a hub, fetched into a cache in the shared layout and used from there. */
import assert from "node:assert/strict";
import { HubCache } from "../src/hub/cache.ts";
import { Hub } from "../src/hub/hub.ts";
import { describeModel, locateModel } from "../src/hub/locate.ts";
import { gitHash, MODEL, REPOSITORY, sha256, smallModel, withHub } from "./fixtures/hub.ts";
import { namesIn } from "./cli_support.ts";
import { permitted } from "./permitted.ts";

const ignore = !permitted("read", "write", "net");

Deno.test(
  "locateModel() fetches a model once, in the layout that other tools share",
  { ignore },
  async () => {
    await withHub(async (hub, cache) => {
      const progress: [string, number, number][] = [];
      const settings = hub.settings(cache);
      const events = {
        progress: (...values: [string, number, number]) => {
          progress.push(values);
        },
      };
      const checkpoint = await locateModel(REPOSITORY, { settings, events });
      assert.equal(checkpoint.name, REPOSITORY);
      assert.equal((await checkpoint.read("wte.weight")).length, 300 * 8);
      checkpoint.close();

      const home = `${cache}/models--someone--small-gpt2`;
      const snapshot = `${home}/snapshots/${hub.commit}`;
      assert.equal(await Deno.readTextFile(`${home}/refs/main`), hub.commit);
      assert.deepEqual(namesIn(snapshot), ["config.json", "model.safetensors"]);
      const hashes = { "config.json": gitHash, "model.safetensors": sha256 };
      for (const [name, hash] of Object.entries(hashes)) {
        const bytes = hub.files[name]!;
        assert.deepEqual(await Deno.readFile(`${snapshot}/${name}`), bytes);
        assert.equal(await Deno.readLink(`${snapshot}/${name}`), `../../blobs/${hash(bytes)}`);
        assert.deepEqual(progress.findLast(([path]) => path === name), [name, bytes.length, bytes.length]);
      }
      assert.deepEqual(
        namesIn(`${home}/blobs`),
        Object.entries(hashes).map(([n, h]) => h(hub.files[n]!)).sort(),
      );

      const asked = hub.seen.length;
      for (const offline of [true, false]) {
        (await locateModel(REPOSITORY, { settings: hub.settings(cache, { offline }) })).close();
      }
      assert.equal(hub.seen.length, asked, "the cache was not used");
    });
  },
);

Deno.test(
  "locateModel() takes a published model from where older tools have put it",
  { ignore },
  async () => {
    await withHub(async (hub, cache) => {
      const home = `${cache}/models--gpt2`;
      await Deno.mkdir(`${home}/snapshots/abc`, { recursive: true });
      await Deno.mkdir(`${home}/refs`);
      await Deno.writeTextFile(`${home}/refs/main`, "abc");
      for (const [name, bytes] of Object.entries(hub.files)) {
        await Deno.writeFile(`${home}/snapshots/abc/${name}`, bytes);
      }
      for (const name of ["gpt2", "openai-community/gpt2"]) {
        const checkpoint = await locateModel(name, { settings: hub.settings(cache, { offline: true }) });
        assert.deepEqual([checkpoint.name, checkpoint.config.nEmbd], [name, 8]);
        checkpoint.close();
      }
      assert.deepEqual(hub.seen, []);
    });
  },
);

Deno.test(
  "locateModel() fetches what a cache lacks, and says what it lacks offline",
  { ignore },
  async () => {
    await withHub(async (hub, cache) => {
      const offline = { settings: hub.settings(cache, { offline: true }) };
      await assert.rejects(locateModel(REPOSITORY, offline), {
        name: "KvbenchError",
        message: `Model ${REPOSITORY} is not in ${cache}. HF_HUB_OFFLINE is set, so that nothing is fetched`,
      });
      const { config } = await describeModel(REPOSITORY, { settings: hub.settings(cache) });
      assert.equal(config.vocabSize, 300);
      assert.deepEqual(hub.gets("model.safetensors"), [], "the weights were fetched for the configuration");
      await assert.rejects(locateModel(REPOSITORY, offline), {
        name: "KvbenchError",
        message: new RegExp(
          `^Cannot read ${cache}/.+/model\\.safetensors: there is no such file\\. HF_HUB_OFFLINE`,
        ),
      });
      (await locateModel(REPOSITORY, { settings: hub.settings(cache) })).close();
      assert.equal(hub.gets("config.json").length, 1);
    });
  },
);

Deno.test("describeModel() knows a published model without asking", async () => {
  assert.equal((await describeModel("gpt2-xl")).config.nLayer, 48);
});

Deno.test("A model in several files is fetched and read as one", { ignore }, async () => {
  await withHub(async (hub, cache) => {
    const [first, second] = await shardsOf(hub.files["model.safetensors"]!);
    const map = { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" };
    hub.files = {
      "config.json": hub.files["config.json"]!,
      "model.safetensors.index.json": new TextEncoder().encode(JSON.stringify({ weight_map: map })),
      [map.a]: first,
      [map.b]: second,
    };
    const checkpoint = await locateModel(REPOSITORY, { settings: hub.settings(cache) });
    for (const name of ["wte.weight", "ln_f.bias"]) assert.ok((await checkpoint.read(name)).length > 0);
    checkpoint.close();

    map.b = "../../../etc/passwd.safetensors";
    hub.files["model.safetensors.index.json"] = new TextEncoder().encode(JSON.stringify({ weight_map: map }));
    hub.commit = "d".repeat(40);
    await assert.rejects(new Hub(hub.settings(cache)).fetch(MODEL), {
      name: "KvbenchError",
      message:
        /index\.json of .+: it names "\.\.\/.+passwd.safetensors", expected \.safetensors files beside it$/,
    });
  });
});

Deno.test(
  "Hub.fetch() follows the hub to a new commit, and keeps what did not change",
  { ignore },
  async () => {
    await withHub(async (hub, cache) => {
      const settings = hub.settings(cache);
      await new Hub(settings).fetch(MODEL);
      hub.commit = "d".repeat(40);
      hub.files["model.safetensors"] = (await smallModel(2))["model.safetensors"]!;
      const { folder, commit } = await new Hub(settings).fetch(MODEL);
      assert.equal(commit, hub.commit);
      assert.deepEqual(await Deno.readFile(`${folder}/model.safetensors`), hub.files["model.safetensors"]);
      assert.equal(hub.gets("config.json").length, 1);
      assert.deepEqual(namesIn(`${cache}/models--someone--small-gpt2/snapshots`), [
        "c".repeat(40),
        hub.commit,
      ]);
    });
  },
);

Deno.test("weights verify and rm see a damaged file, a foreign one, and what another process fetches", {
  ignore,
}, async () => {
  await withHub(async (hub, cache) => {
    const { settings, cache: kept } = new Hub(hub.settings(cache));
    const snapshot = await new Hub(settings).fetch(MODEL);
    const states = async () =>
      (await new Hub(settings).verify(snapshot)).map(({ path, state }) => `${path} ${state}`);
    assert.deepEqual(await states(), ["config.json ok", "model.safetensors ok"]);

    const weights = `${snapshot.folder}/model.safetensors`;
    const bytes = await Deno.readFile(weights);
    bytes[bytes.length - 1]! ^= 1;
    await Deno.writeFile(weights, bytes);
    assert.deepEqual(await states(), ["config.json ok", "model.safetensors damaged"]);
    await Deno.remove(weights);
    await Deno.writeFile(weights, bytes);
    assert.deepEqual(await states(), ["config.json ok", "model.safetensors unknown"]);

    assert.deepEqual(await kept.repositories(), [REPOSITORY]);
    assert.ok(await kept.remove(REPOSITORY) !== undefined);
    assert.equal(await kept.remove(REPOSITORY), undefined);
    assert.deepEqual(await new HubCache(cache).repositories(), []);
  });
});

/** The model's file in two: the tensors up to the middle one, and the rest. */
async function shardsOf(
  whole: Uint8Array<ArrayBuffer>,
): Promise<[Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>]> {
  const size = Number(new DataView(whole.buffer).getBigUint64(0, true));
  const header: Record<string, { data_offsets: [number, number] }> = JSON.parse(
    new TextDecoder().decode(whole.subarray(8, 8 + size)),
  );
  const entries = Object.entries(header).sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0]);
  const middle = entries.length >> 1;
  const part = async (some: typeof entries): Promise<Uint8Array<ArrayBuffer>> => {
    const [begin, end] = [some[0]![1].data_offsets[0], some.at(-1)![1].data_offsets[1]];
    const moved = some.map(([name, entry]) => [name, {
      ...entry,
      data_offsets: entry.data_offsets.map((offset) => offset - begin),
    }]);
    const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(moved)));
    const prefix = new Uint8Array(8);
    new DataView(prefix.buffer).setBigUint64(0, BigInt(text.length), true);
    const blob = new Blob([prefix, text, whole.subarray(8 + size + begin, 8 + size + end)]);
    return new Uint8Array(await blob.arrayBuffer());
  };
  return [await part(entries.slice(0, middle)), await part(entries.slice(middle))];
}
