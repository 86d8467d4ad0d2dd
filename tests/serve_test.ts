/** The server's protocol: answers whole and streamed, clients that leave, metrics, and the end. */
import assert from "node:assert/strict";
import { KvbenchError } from "../src/base/errors.ts";
import { openGpu } from "../src/host/gpu.ts";
import { logProbability } from "../src/model/log_probabilities.ts";
import { GREEDY } from "../src/model/sampling.ts";
import { STATIC, withDecoder, withRandomModel } from "./decode_support.ts";
import { AWKWARD } from "./fixtures/checkpoint.ts";
import { gpuTest } from "./gpu_support.ts";
import { permitted } from "./permitted.ts";
import {
  type Completion,
  eventsOf,
  idsAlone,
  idsOf,
  PROMPT,
  serveModel,
  type TestServer,
  until,
  whole,
  withServer,
} from "./serve_support.ts";

const needs = ["net"] as const;

gpuTest("A completion has the ids that its prompt gives alone, whole and streamed", async (gpu) => {
  await withServer(gpu, {}, async ({ post, model }) => {
    const [alone] = await idsAlone(model, [{ prompt: PROMPT, sampling: GREEDY }]);
    const body = { prompt: PROMPT, max_tokens: 9, ignore_eos: true };
    const { choices, usage } = await whole(post(body));
    assert.deepEqual(choices.map(({ text }) => idsOf(text)), [alone!.slice(0, 9)]);
    assert.deepEqual(choices.map(({ finish_reason }) => finish_reason), ["length"]);
    assert.deepEqual(usage, { prompt_tokens: 5, completion_tokens: 9, total_tokens: 14 });

    const response = await post({ ...body, stream: true, stream_options: { include_usage: true } });
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    const events = await Array.fromAsync(eventsOf(response));
    assert.equal(events.pop(), "[DONE]");
    const chunks: Completion[] = events.map((event) => JSON.parse(event));
    assert.deepEqual(chunks.pop(), { ...chunks[0], choices: [], usage });
    assert.equal(chunks.length, 9);
    assert.equal(chunks.map(({ choices: [choice] }) => choice!.text).join(""), choices[0]!.text);
    assert.deepEqual(
      chunks.map(({ choices: [choice], usage }) => [choice!.finish_reason, usage]),
      [...Array(8).fill([null, null]), ["length", null]],
    );
  });
}, { needs });

gpuTest("Prompts may be texts, ids and lists of them, and n counts seeds up", async (gpu) => {
  await withServer(gpu, {}, async ({ post, model, engine }) => {
    const prompts = [PROMPT, [1, 2, 3]];
    const sampled = { max_tokens: 6, ignore_eos: true, temperature: 1, seed: 40, n: 3 };
    const alone = await idsAlone(
      model,
      prompts.flatMap((prompt) =>
        [40, 41, 42].map((seed) => ({ prompt, sampling: { ...GREEDY, temperature: 1, seed } }))
      ),
    );
    const expected = alone.map((ids) => ids.slice(0, 6));
    const texts = [" 5 6 7 8 9", " 1 2 3"];
    for (const prompt of [prompts, texts]) {
      const { choices, usage } = await whole(post({ ...sampled, prompt }));
      assert.deepEqual(choices.map(({ index }) => index), [0, 1, 2, 3, 4, 5]);
      assert.deepEqual(choices.map(({ text }) => idsOf(text)), expected);
      assert.deepEqual([usage!.prompt_tokens, usage!.completion_tokens], [8, 36]);
    }
    const { choices } = await whole(post({ ...sampled, prompt: texts[0], echo: true }));
    assert.deepEqual(
      choices.map(({ text }) => idsOf(text)),
      expected.slice(0, 3).map((ids) => [...PROMPT, ...ids]),
    );
    assert.ok(engine.counters.hitTokens > 0, "the prefix cache is used");
    await whole(post({ max_tokens: 2 })); // without a prompt
  });
}, { needs });

gpuTest("A completion ends at its stop text, and at the end of text", async (gpu) => {
  await withRandomModel(gpu, async (model) => {
    const [alone = []] = await idsAlone(model, [{ prompt: PROMPT, sampling: GREEDY }]);
    const eosTokenId = alone[12]!;
    await serveModel(model, { eosTokenId }, async ({ post, engine }) => {
      const stop = ` ${alone[5]}`;
      const at = alone.findIndex((id) => ` ${id}`.startsWith(stop));
      const body = { prompt: PROMPT, max_tokens: 30 };
      const stopped = await whole(post({ ...body, ignore_eos: true, stop: ["x", stop] }));
      const result = ({ text, finish_reason }: Completion["choices"][number]) => [idsOf(text), finish_reason];
      assert.deepEqual(stopped.choices.map(result), [[alone.slice(0, at), "stop"]]);
      assert.equal(stopped.usage!.completion_tokens, at + 1);

      const end = alone.indexOf(eosTokenId);
      const ended = await whole(post(body));
      assert.deepEqual(ended.choices.map(result), [[alone.slice(0, end), "stop"]]);
      assert.equal(ended.usage!.completion_tokens, end + 1);
      await until(() => engine.usage().free === engine.usage().capacity, "their blocks are free");
    });
  });
}, { needs });

gpuTest(
  "Log-probabilities are those of the model, the chosen token's and the likeliest ones'",
  async (gpu) => {
    await withServer(gpu, {}, async ({ post, model }) => {
      const { choices: [choice] } = await whole(
        post({ prompt: PROMPT, max_tokens: 4, ignore_eos: true, logprobs: 2, temperature: 1, seed: 3 }),
      );
      const { tokens, token_logprobs, top_logprobs, text_offset } = choice!.logprobs!;
      const ids = idsOf(choice!.text);
      assert.equal(tokens.join(""), choice!.text);
      assert.deepEqual(text_offset, tokens.map((_, i) => tokens.slice(0, i).join("").length));
      await withDecoder(model, { variant: STATIC }, async (decoder) => {
        for (const [i, id] of ids.entries()) {
          decoder.begin([[...PROMPT, ...ids.slice(0, i)]]);
          const [logits] = await decoder.logits();
          assert.ok(Math.abs(token_logprobs[i]! - logProbability(logits!, id)) < 1e-4);
          const best = [...logits!.keys()].sort((a, b) => logits![b]! - logits![a]!).slice(0, 2);
          const wanted = new Set([...best, id].map((each) => ` ${each}`));
          assert.deepEqual(new Set(Object.keys(top_logprobs[i]!)), wanted);
        }
      });
      const none = await whole(post({ prompt: PROMPT, max_tokens: 1, logprobs: 0 }));
      assert.equal(Object.keys(none.choices[0]!.logprobs!.top_logprobs[0]!).length, 1);
      const both = await Promise.all(
        [{ logprobs: 1 }, {}].map((more) => whole(post({ prompt: PROMPT, ...more }))),
      );
      assert.equal(both[0]!.choices[0]!.text, both[1]!.choices[0]!.text);
      assert.equal(both[1]!.choices[0]!.logprobs, null);
    });
  },
  { needs },
);

gpuTest("A client that leaves frees its blocks, whether it streams or waits", async (gpu) => {
  const nCtx = 1000, options = { maxSequences: 1, maxRows: 24, kv: { budgetTokens: nCtx } };
  const leave = async ({ url, post, engine }: TestServer) => {
    for (const stream of [true, false]) {
      const leaving = new AbortController();
      const body = { prompt: PROMPT, max_tokens: nCtx - 40, ignore_eos: true, stream };
      const first = post(body, { signal: leaving.signal });
      first.catch(() => {});
      await until(() => engine.nRunning === 1, "it runs");
      const waiting = new AbortController();
      post(body, { signal: waiting.signal }).catch(() => {});
      await until(() => engine.nWaiting === 1 || engine.nRunning === 0, "another one waits");
      waiting.abort();
      leaving.abort();
      await until(() => engine.nRunning + engine.nWaiting === 0, "both are gone");
      assert.equal(engine.usage().free, engine.usage().capacity);
    }
    const text = await (await fetch(`${url}/metrics`)).text();
    assert.match(text, /^kvbench_requests_total\{outcome="cancelled"\} [34]$/m);
    assert.match(text, /^kvbench_kv_usage_ratio 0$/m);
  };
  await withRandomModel(gpu, (model) => serveModel(model, options, leave), { ...AWKWARD, n_ctx: nCtx });
}, { needs });

gpuTest("Metrics count what was served, and the memory that it takes", async (gpu) => {
  await withServer(gpu, { kv: { budgetTokens: 40, watermark: 0 } }, async ({ url, post }) => {
    const body = { prompt: PROMPT, max_tokens: 20, ignore_eos: true };
    await Promise.all([1, 2, 3].map(() => whole(post(body))));
    const response = await fetch(`${url}/metrics`);
    assert.match(response.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    const value = (name: string) =>
      Number(text.split("\n").find((line) => line.startsWith(`${name} `))?.split(" ")[1]);
    assert.equal(value('kvbench_requests_total{outcome="finished"}'), 3);
    assert.equal(value("kvbench_generated_tokens_total"), 60);
    assert.equal(value("kvbench_time_to_first_token_seconds_count"), 3);
    assert.equal(value("kvbench_time_per_output_token_seconds_count"), 3);
    assert.equal(value("kvbench_kv_capacity_tokens"), 40);
    assert.equal(value("kvbench_gpu_bytes"), gpu.ledger.current.total);
    assert.ok(value("process_resident_memory_bytes") > value("kvbench_heap_bytes"));
    assert.ok(value("kvbench_heap_bytes") > 1e6);
    assert.ok(value('kvbench_preemptions_total{how="recompute"}') > 0);
    for (const name of ["sequences_running", "requests_waiting", "kv_usage_ratio"]) {
      assert.equal(value(`kvbench_${name}`), 0);
    }
  });
}, { needs });

gpuTest(
  "A server that ends finishes what is under way, or cancels it after the grace period",
  async (gpu) => {
    const body = { prompt: PROMPT, max_tokens: 30, ignore_eos: true, stream: true };
    await withServer(gpu, {}, async ({ url, post, stop }) => {
      const response = await post(body);
      const stopped = stop();
      const refused = await post(body).then(
        async (answer) => (await answer.text(), answer.status),
        () => "no connection",
      );
      assert.ok(refused === 503 || refused === "no connection", String(refused));
      assert.equal((await Array.fromAsync(eventsOf(response))).at(-1), "[DONE]");
      await stopped;
      await assert.rejects(fetch(`${url}/health`));
    });
    await withServer(gpu, { graceMs: 0 }, async ({ post, stop, engine }) => {
      const whole = post({ ...body, stream: false });
      const streamed = await post(body);
      await until(() => engine.nRunning === 2, "both run");
      const stopped = stop();
      const events = await Array.fromAsync(eventsOf(streamed));
      assert.equal(JSON.parse(events.at(-1)!).error.message, "The server is shutting down");
      assert.ok(!events.includes("[DONE]"));
      const answer = await whole;
      assert.deepEqual([answer.status, answer.headers.get("retry-after")], [503, "1"]);
      assert.equal((await answer.json()).error.code, "unavailable");
      await stopped;
    });
  },
  { needs },
);

gpuTest("A server that ends does not wait for a client that never finishes its request", async (gpu) => {
  await withServer(gpu, { graceMs: 0 }, async ({ url, stop }) => {
    const { hostname, port } = new URL(url);
    using connection = await Deno.connect({ hostname, port: Number(port) });
    const head = "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    await connection.write(new TextEncoder().encode(`${head}content-length: 100\r\n\r\n{`));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const startMs = performance.now();
    await stop();
    assert.ok(performance.now() - startMs < 10_000);
  });
}, { needs });

Deno.test("Where the GPU fails, clients are told and the server ends with the reason", {
  ignore: !permitted(...needs),
}, async () => {
  const gpu = await openGpu();
  const failed = withRandomModel(gpu, (model) =>
    serveModel(model, {}, async ({ post, engine }) => {
      const body = { prompt: PROMPT, max_tokens: 30, ignore_eos: true, stream: true };
      const whole = post({ ...body, stream: false });
      const response = await post(body);
      await until(() => engine.nRunning === 2, "both run");
      gpu.device.destroy();
      const events = await Array.fromAsync(eventsOf(response));
      assert.equal(JSON.parse(events.at(-1)!).error.message, "The server has failed");
      assert.ok(!events.includes("[DONE]"));
      const answer = await whole;
      const { error } = await answer.json();
      assert.deepEqual([answer.status, error.message], [500, "The server has failed"]);
    }));
  await assert.rejects(failed, (error) => error instanceof KvbenchError && /^The GPU /.test(error.message));
});
