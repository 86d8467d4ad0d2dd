/** `kvbench serve` as a user runs it: the `openai` package as its client, its permissions, and its end. */
import assert from "node:assert/strict";
import OpenAI from "openai";
import { parseLoad } from "../src/load/load_result.ts";
import { goldenCase, ignore, inScratch, kvbench, RANDOM_SMALL, stdoutOf, WEIGHTS } from "./cli_support.ts";
import { loadGpt2Tokenizer } from "../src/checkpoint/gpt2_tokenizer.ts";

Deno.test("The openai package streams from kvbench serve, which ends at a signal with nothing left", {
  ignore: ignore || Deno.build.os === "windows",
}, async () => {
  const { prompt = "", ids, greedy } = await goldenCase("tiny", "once");
  const whenReady = async (line: string) => {
    const [baseURL] = /http:\/\/\S+\/v1/.exec(line)!;
    const client = new OpenAI({ baseURL, apiKey: "k", maxRetries: 0 });
    const models = await Array.fromAsync(client.models.list());
    assert.deepEqual(models.map(({ id }) => id), ["tiny"]);
    const expected = (await loadGpt2Tokenizer()).decode(greedy.slice(0, 12));
    const body = { model: "tiny", prompt, max_tokens: 12, temperature: 0 };

    const stream = await client.completions.create({
      ...body,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await Array.fromAsync(stream);
    assert.equal(chunks.map(({ choices }) => choices[0]?.text ?? "").join(""), expected);
    assert.deepEqual(chunks.at(-1)!.usage, {
      prompt_tokens: ids.length,
      completion_tokens: 12,
      total_tokens: ids.length + 12,
    });

    const several = await client.completions.create({ ...body, n: 2, logprobs: 1, stop: "\u0001" });
    assert.deepEqual(several.choices.map(({ text }) => text), [expected, expected]);
    assert.equal(several.choices[0]!.logprobs!.tokens!.join(""), expected);

    const abandoned = await client.completions.create({ ...body, max_tokens: 900, stream: true });
    for await (const _ of abandoned) break; // which closes the connection
    await assert.rejects(client.completions.create({ ...body, model: "gpt-4" }), OpenAI.NotFoundError);
    await assert.rejects(client.completions.create({ ...body, max_tokens: 9999 }), OpenAI.BadRequestError);
    await inScratch(async (folder) => {
      const file = `${folder}/key`;
      await Deno.writeTextFile(file, "k\n");
      const load = ["load", baseURL, "--num-prompts", "4", "--new-tokens", "3"];
      const [json, table] = await Promise.all([
        stdoutOf([...load, "--api-key", "k", "--json", "-"], { flags: ["--allow-net=127.0.0.1"] }),
        stdoutOf([...load, "--api-key-file", file], {
          flags: ["--allow-net=127.0.0.1", `--allow-read=${file}`],
        }),
      ]);
      const { finished, output_tokens, command } = parseLoad(JSON.parse(json), "stdout");
      assert.deepEqual([finished, output_tokens], [4, 12]);
      assert.deepEqual(command.slice(-4, -2), ["--api-key", "…"]);
      assert.match(table, /^tiny at http.*: 4 requests all at once; lengths: 64 \+ 3 tokens$/m);
      assert.match(table, /^output tokens +12$/m);
    });

    const stranger = new OpenAI({ baseURL, apiKey: "other", maxRetries: 0 });
    await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
  };
  const { code, stdout, stderr } = await kvbench(
    ["serve", "--port", "0", "--no-autotune", "--api-key", "k"],
    {
      flags: [`--allow-read=${WEIGHTS}`, "--allow-net=127.0.0.1"],
      whenReady,
    },
  );
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /^kvbench serves tiny at http:\/\/127\.0\.0\.1:\d+\/v1: paged, room for K and V of 4 096 tokens$/m,
  );
  assert.match(stdout, /^Stopped\. Buffers left on the GPU: 0 B$/m);
  assert.equal(stderr, "");
});

Deno.test("serve refuses a model without a tokenizer", { ignore }, async () => {
  const { code, stdout, stderr } = await kvbench(["serve", "--model", RANDOM_SMALL], {
    flags: [`--allow-read=${RANDOM_SMALL}`, "--allow-net=127.0.0.1"],
  });
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /^kvbench: This model has no tokenizer: clients send and get text\n$/);
});

Deno.test("load says why a server can't be reached", { ignore }, async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const { code, stdout, stderr } = await kvbench(["load", `http://127.0.0.1:${port}`], {
    flags: ["--allow-net=127.0.0.1"],
  });
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /^kvbench: Cannot reach http:\/\/127\.0\.0\.1:\d+: [^\n]*refused[^\n]*\n$/);
});
