/** `kvbench generate` as a user runs it. */
import assert from "node:assert/strict";
import { loadGpt2Tokenizer } from "../src/checkpoint/gpt2_tokenizer.ts";
import { goldenCase, ignore, inScratch, kvbench, RANDOM_SMALL, stdoutOf } from "./cli_support.ts";

Deno.test("generate takes its prompt from stdin and streams the text of the ids", { ignore }, async () => {
  const { prompt = "", greedy } = await goldenCase("tiny", "once");
  const { code, stdout, stderr, pieces } = await kvbench(["generate", "--timings"], { stdin: `${prompt}\n` });
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /^First token after [\d.]+ m?s: start [\d.]+ m?s, model and downloads [\d.]+ m?s, weights [\d.]+ m?s, kernels [\d.]+ m?s, prefill [\d.]+ m?s; then [\d.]+ tokens\/s$/m,
  );
  // The tests' permissions don't let it see the driver's cache.
  assert.match(stderr, /^A (cold |warm )?start: the driver.*; (default )?kernel variants/m);
  assert.equal(stdout, `${(await loadGpt2Tokenizer()).decode(greedy)}\n`);
  assert.ok(pieces > 1, "all of the text came at once");
});

Deno.test("generate --timings calls a start with an empty driver cache cold, and the next one warm", {
  ignore: ignore || Deno.build.os !== "linux",
}, async () => {
  await inScratch(async (folder) => {
    const args = ["generate", "The", "--max-new-tokens", "2", "--no-autotune", "--timings"];
    const env = { MESA_SHADER_CACHE_DIR: folder };
    const flags = ["--allow-read", "--allow-env"];
    const kinds: (string | undefined)[] = [];
    for (let i = 0; i < 2; i++) {
      const { code, stderr } = await kvbench(args, { flags, env });
      assert.equal(code, 0, stderr);
      kinds.push(/^A (\w+) start: .*; default kernel variants, as none were remembered$/m.exec(stderr)?.[1]);
    }
    assert.deepEqual(kinds, ["cold", "warm"]);
  });
});

Deno.test("generate --stop ends before the first of the texts, in text and in JSON", { ignore }, async () => {
  const { prompt = "", greedy } = await goldenCase("tiny", "once");
  const text = (await loadGpt2Tokenizer()).decode(greedy);
  const stop = text.slice(21, 30); // begins and ends inside words
  const before = text.slice(0, text.indexOf(stop));
  const args = ["generate", prompt, "--stop", "not in the text", "--stop", stop];
  assert.equal(await stdoutOf(args), `${before}\n`);
  const { sequences: [sequence] } = JSON.parse(await stdoutOf([...args, "--output", "json"]));
  assert.equal(sequence.text, before);
  assert.equal(sequence.finish_reason, "stop");
  assert.deepEqual(sequence.ids, greedy.slice(0, sequence.ids.length));
});

Deno.test("generate --num-return-sequences gives different sequences, and the same ones again", {
  ignore,
}, async () => {
  const args = ["generate", "The", "--num-return-sequences", "2", "--seed", "7", "--max-new-tokens", "12"];
  const json = JSON.parse(await stdoutOf([...args, "--output", "json"]));
  assert.deepEqual(Object.keys(json), [
    "model",
    "strategy",
    "prompt",
    "prompt_ids",
    "sampling",
    "sequences",
    "kv_bytes",
  ]);
  assert.equal(json.model, "tiny");
  assert.equal(json.strategy, "kv-cache");
  assert.equal(json.prompt, "The");
  assert.deepEqual(json.prompt_ids, [464]);
  assert.deepEqual(json.sampling, { temperature: 1, top_k: 0, top_p: 1, seed: 7 });
  const tokenizer = await loadGpt2Tokenizer();
  for (const { ids, text, finish_reason } of json.sequences) {
    assert.equal(ids.length, 12);
    assert.equal(text, tokenizer.decode(ids));
    assert.equal(finish_reason, "length");
  }
  const [first, second] = json.sequences;
  assert.notDeepEqual(first.ids, second.ids);

  assert.equal(await stdoutOf([...args, "--output", "ids"]), `${first.ids}\n${second.ids}\n`);
  const { stdout, stderr } = await kvbench([...args, "--strategy", "paged"]);
  assert.equal(stdout, `--- 1 of 2 ---\n${first.text}\n--- 2 of 2 ---\n${second.text}\n`);
  // The prompt's one token fills no block, so that the second sequence copies it. A block takes 96 KiB.
  assert.match(stderr, /^K\/V: at most 192 KiB held, nothing shared, 96\.0 KiB copied$/m);
});

Deno.test(
  "generate --num-beams gives the best texts of a search, the same from blocks and from whole caches",
  {
    ignore,
  },
  async () => {
    const { ids } = await goldenCase("tiny", "alice");
    const args = [
      "generate",
      "--prompt-ids",
      ids.join(","),
      "--num-beams",
      "3",
      "--num-return-sequences",
      "2",
    ];
    const more = ["--max-new-tokens", "8", "--output", "json"];
    const [paged, whole] = await Promise.all(
      ["paged", "kv-cache"].map(async (strategy) =>
        JSON.parse(await stdoutOf([...args, ...more, "--strategy", strategy]))
      ),
    );
    assert.deepEqual(paged.beams, { num_beams: 3, length_penalty: 1, early_stopping: "false" });
    const [first, second] = paged.sequences;
    assert.ok(first.score > second.score && first.ids.length === 8);
    assert.deepEqual(whole.sequences.map(({ ids }: { ids: number[] }) => ids), [first.ids, second.ids]);
    assert.ok(paged.kv_bytes.held < paged.kv_bytes.without_sharing);
    assert.equal(whole.kv_bytes.held, whole.kv_bytes.without_sharing);
    assert.ok(paged.kv_bytes.held < whole.kv_bytes.held);
  },
);

Deno.test(
  "generate runs a checkpoint in a folder up to its last position, and prints ids without a tokenizer",
  {
    ignore,
  },
  async () => {
    const { ids, greedy } = await goldenCase("random-small", "fifteen");
    const args = [
      "generate",
      "--model",
      RANDOM_SMALL,
      "--prompt-ids",
      ids.join(","),
      "--max-new-tokens",
      "33",
    ];
    const read = [RANDOM_SMALL];
    assert.equal(await stdoutOf([...args, "--output", "ids"], { read }), `${greedy.join(",")}\n`);
    const { code, stdout, stderr } = await kvbench(args, { read });
    assert.deepEqual([code, stdout], [2, ""]);
    assert.equal(
      stderr,
      "kvbench: This model has no tokenizer: expected --output ids or json, and no --stop\n",
    );
  },
);
