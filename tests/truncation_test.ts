/**
 * Files that break off, after every byte of a small one: what reads them works as with the whole file, or ends in one
 * clear line.
 */
import assert from "node:assert/strict";
import { readReportable } from "../src/cli/commands/report.ts";
import { readResult } from "../src/cli/session/result_file.ts";
import { lengthSource } from "../src/cli/options/serving_options.ts";
import { KvbenchError } from "../src/base/errors.ts";
import { Hub } from "../src/hub/hub.ts";
import { locateModel } from "../src/hub/locate.ts";
import { memorySource } from "../src/checkpoint/byte_source.ts";
import { openCheckpoint } from "../src/checkpoint/checkpoint.ts";
import { tensorShapes } from "../src/checkpoint/tensors.ts";
import { ignore as noChildren, inScratch, stdoutOf } from "./cli_support.ts";
import { randomCheckpoint, safetensors } from "./fixtures/checkpoint.ts";
import { MODEL, REPOSITORY, withHub } from "./fixtures/hub.ts";
import { fixtureProfile } from "./fixtures/profile.ts";
import { fixtureResult } from "./fixtures/result.ts";
import { permitted } from "./permitted.ts";

const ignore = !permitted("read", "write");
const SMALL = { n_layer: 1, n_head: 1, n_embd: 4, n_ctx: 3, vocab_size: 5 };
const CONFIG_JSON = JSON.stringify({ model_type: "gpt2", bos_token_id: 0, eos_token_id: 0, ...SMALL }) + "\n";

/** Reads every beginning of `bytes`; returns at how many of them `read` gave something else than of the whole. */
async function cutEverywhere(
  bytes: Uint8Array<ArrayBuffer>,
  read: (beginning: Uint8Array<ArrayBuffer>) => Promise<unknown>,
): Promise<{ read: number; others: number[] }> {
  const whole = await read(bytes);
  const others: number[] = [];
  let count = 0;
  for (let n = 0; n < bytes.length; n++) {
    try {
      const found = await read(bytes.slice(0, n));
      count++;
      try {
        assert.deepEqual(found, whole);
      } catch {
        others.push(n);
      }
    } catch (error) {
      assert.ok(
        error instanceof KvbenchError,
        `after ${n} bytes: ${error instanceof Error ? error.stack : error}`,
      );
      assert.ok(error.message.length > 0 && !error.message.includes("\n"), error.message);
    }
  }
  return { read: count, others };
}

const encode = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;

/** For readers of files: writes each beginning to `path` first. */
function reading(path: string, read: () => Promise<unknown>): (bytes: Uint8Array) => Promise<unknown> {
  return async (bytes) => {
    await Deno.writeFile(path, bytes);
    return await read();
  };
}

Deno.test(
  "A config.json that breaks off is refused, or only its last line break is missing",
  { ignore },
  async () => {
    const { tensors, config } = await randomCheckpoint(SMALL);
    const weights = safetensors(tensors, tensorShapes(config));
    await inScratch(async (folder) => {
      await Deno.writeFile(`${folder}/model.safetensors`, weights);
      const open = async () => {
        const checkpoint = await locateModel(folder);
        checkpoint.close();
        return checkpoint.config;
      };
      const bytes = encode(CONFIG_JSON);
      assert.deepEqual(await cutEverywhere(bytes, reading(`${folder}/config.json`, open)), {
        read: 1,
        others: [],
      });
    });
  },
);

Deno.test("A model.safetensors that breaks off is refused, in its header and in its tensors", async () => {
  const { tensors, config } = await randomCheckpoint(SMALL);
  const bytes = safetensors(tensors, tensorShapes(config));
  const open = async (beginning: Uint8Array<ArrayBuffer>) => {
    const checkpoint = await openCheckpoint({
      name: "cut",
      configJson: CONFIG_JSON,
      configName: "config.json",
      weights: [{ bytes: memorySource(beginning), name: "model.safetensors" }],
    });
    checkpoint.close();
    return checkpoint.config;
  };
  assert.deepEqual(await cutEverywhere(bytes, open), { read: 0, others: [] });
});

Deno.test("An index of several weights files that breaks off is refused", { ignore }, async () => {
  const { tensors, config } = await randomCheckpoint(SMALL);
  await inScratch(async (folder) => {
    await Deno.writeTextFile(`${folder}/config.json`, CONFIG_JSON);
    await Deno.writeFile(`${folder}/all.safetensors`, safetensors(tensors, tensorShapes(config)));
    const weight_map = Object.fromEntries([...tensors.keys()].map((name) => [name, "all.safetensors"]));
    const open = async () => {
      const checkpoint = await locateModel(folder);
      checkpoint.close();
      return checkpoint.config;
    };
    const bytes = encode(JSON.stringify({ weight_map }) + "\n");
    const path = `${folder}/model.safetensors.index.json`;
    assert.deepEqual(await cutEverywhere(bytes, reading(path, open)), { read: 1, others: [] });
  });
});

const RESULTS: readonly (readonly [kind: string, result: unknown])[] = [
  ["bench", fixtureResult({ runs: 1, strategies: ["kv-cache"], grid: { new_tokens: [2] } })],
  ["profile", fixtureProfile()],
];

for (const [kind, result] of RESULTS) {
  Deno.test(`A result of ${kind} that breaks off is refused by report`, { ignore }, async () => {
    await inScratch(async (folder) => {
      const path = `${folder}/r.json`;
      const read = reading(path, () => readReportable(path));
      assert.deepEqual(await cutEverywhere(encode(JSON.stringify(result) + "\n"), read), {
        read: 1,
        others: [],
      });
    });
  });
}

Deno.test("A result of paper that breaks off is refused by report", { ignore: noChildren }, async () => {
  await inScratch(async (folder) => {
    const path = `${folder}/paper.json`;
    const dry = [
      "--dry-run",
      "--model",
      "opt-13b",
      "--kv-budget",
      "1GB",
      "--views",
      "prefix",
      "--requests",
      "5",
    ];
    await stdoutOf(["paper", ...dry, "--json", path], { write: folder });
    const bytes = encode(JSON.stringify(JSON.parse(await Deno.readTextFile(path))) + "\n");
    const read = reading(path, () => readReportable(path));
    assert.deepEqual(await cutEverywhere(bytes, read), { read: 1, others: [] });
  });
});

Deno.test("A result that breaks off is refused by compare, --baseline and --resume", { ignore }, async () => {
  await inScratch(async (folder) => {
    const path = `${folder}/r.json`;
    const bytes = encode(
      JSON.stringify(fixtureResult({ runs: 1, strategies: ["kv-cache"], grid: { new_tokens: [2] } })) + "\n",
    );
    const read = reading(path, () => readResult(path));
    assert.deepEqual(await cutEverywhere(bytes, read), { read: 1, others: [] });
  });
});

Deno.test("A CSV file of lengths that breaks off within a line is refused, or said to have no end", {
  ignore,
}, async () => {
  const { error } = console;
  const said: string[] = [];
  await inScratch(async (folder) => {
    const path = `${folder}/lengths.csv`;
    const text = "prompt_tokens,output_tokens,arrival_ms\n100,20,0\n300,45,12.5\n";
    console.error = (line: string) => said.push(line);
    try {
      const { read } = await cutEverywhere(encode(text), (bytes) => {
        said.length = 0;
        return reading(path, async () => {
          const source = await lengthSource({ lengths: path });
          const ended = bytes.at(-1) === 10;
          assert.deepEqual(
            said.map((line) => /^Caution: the last line of .+ has no end/.test(line)),
            ended ? [] : [true],
          );
          return source;
        })(bytes);
      });
      assert.ok(read > 1);
    } finally {
      console.error = error;
    }
  });
});

Deno.test("A hub cache's reference and configuration that break off are refused, or fetched again", {
  ignore: ignore || !permitted("net"),
}, async () => {
  await withHub(async (hub, cache) => {
    const settings = hub.settings(cache);
    const { folder } = await new Hub(settings).fetch(MODEL);
    const home = folder.slice(0, folder.indexOf("/snapshots/"));
    const offline = { ...settings, offline: true };
    const open = async () => {
      const checkpoint = await locateModel(REPOSITORY, { settings: offline });
      checkpoint.close();
      return checkpoint.config;
    };
    for (const path of [`${home}/refs/main`, `${folder}/config.json`]) {
      const bytes = await Deno.readFile(path);
      const { others } = await cutEverywhere(bytes, reading(path, open));
      assert.deepEqual(others, [], path);
      await Deno.writeFile(path, bytes);
    }
  });
});
