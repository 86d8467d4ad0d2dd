/**
 * The server's protocol: answers whole and streamed, errors in the API's shape, limits, clients that leave, and the end.
 *
 * @module
 */
import assert from "node:assert/strict";
import { PagedMemory } from "../src/engine/scheduler/paged_memory.ts";
import { KvbenchError } from "../src/errors.ts";
import { Gpu } from "../src/gpu/gpu.ts";
import { logProbability } from "../src/model/log_probabilities.ts";
import { GREEDY } from "../src/model/sampling.ts";
import { STATIC, withDecoder, withRandomModel } from "./decode_support.ts";
import { gpuTest } from "./gpu_support.ts";
import { permitted } from "./permitted.ts";
import {
  eventsOf,
  idsAlone,
  idsOf,
  N_CTX,
  serveModel,
  until,
  VOCAB_SIZE,
  withServer,
} from "./serve_support.ts";

const needs = ["net"] as const;
const PROMPT = [5, 6, 7, 8, 9];

/** A completion as the API gives it. */
interface Completion {
  readonly choices: readonly {
    readonly index: number;
    readonly text: string;
    readonly finish_reason: string | null;
    readonly logprobs: {
      readonly tokens: string[];
      readonly token_logprobs: number[];
      readonly top_logprobs: Record<string, number>[];
      readonly text_offset: number[];
    } | null;
  }[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
}

async function whole(response: Response | Promise<Response>): Promise<Completion> {
  const answer = await response;
  const json = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(json));
  return json;
}

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

const MANY_BLOCKS = "1 ".repeat(10);
/** What is refused: the body, the status, the parameter, and what the message says. */
const REFUSED:
  readonly (readonly [body: object | string, status: number, param: string | null, message: RegExp])[] = [
    ["{", 400, null, /^The body is not valid JSON/],
    ["[]", 400, null, /^The body is not a JSON object$/],
    [{ prompt: 7 }, 400, "prompt", /^Invalid 'prompt': expected a string, a list of strings/],
    [{ prompt: [1, "a"] }, 400, "prompt", /^Invalid 'prompt'/],
    [{ prompt: "" }, 400, "prompt", /^Invalid 'prompt': is empty$/],
    [
      { prompt: [VOCAB_SIZE] },
      400,
      "prompt",
      /token id 131 is not in the vocabulary: expected ids below 131$/,
    ],
    [
      { prompt: "1".repeat(700) },
      400,
      "prompt",
      /700 characters are given, and the context of 40 tokens takes/,
    ],
    [{ max_tokens: "9" }, 400, "max_tokens", /^Invalid 'max_tokens': expected number, received string$/],
    [{ max_tokens: 0 }, 400, "max_tokens", /^Invalid 'max_tokens'/],
    [
      { max_tokens: 36 },
      400,
      "max_tokens",
      /maximum context length is 40 tokens, and 41 tokens are asked for: 5 in/,
    ],
    [{ temperature: -1 }, 400, "temperature", /^Invalid 'temperature'/],
    [{ top_p: 2 }, 400, "top_p", /^Invalid 'top_p'/],
    [{ n: 9 }, 400, null, /can never run: it asks for 9 sequences, and at most 8 run at once$/],
    [
      { n: 8, max_tokens: 35 },
      400,
      null,
      /can never run: it may need 73 KV blocks of 4 tokens, and there are 60$/,
    ],
    [{ stop: ["a", "b", "c", "d", "e"] }, 400, "stop", /a list of at most 4$/],
    [{ logprobs: 6 }, 400, "logprobs", /^Invalid 'logprobs'/],
    [{ logprobs: 1, echo: true }, 400, "echo", /not supported together with 'logprobs'$/],
    [{ suffix: "x" }, 400, "suffix", /^Invalid 'suffix': is not supported$/],
    [{ presence_penalty: 1 }, 400, "presence_penalty", /only 0 is supported$/],
    [{ best_of: 2 }, 400, "best_of", /only the value of 'n' is supported$/],
    [{ stream_options: {} }, 400, "stream_options", /only allowed with 'stream'$/],
    [{ colour: 1 }, 400, "colour", /^Unrecognized request argument supplied: colour$/],
    [{ model: "gpt-4" }, 404, "model", /^The model 'gpt-4' does not exist: this server has 'random'$/],
    [{ user: "x".repeat(5000) }, 413, null, /^The body is too large: expected at most 4096 bytes$/],
    [{ prompt: Array(5).fill(MANY_BLOCKS) }, 400, "prompt", /5 prompts are given, and at most 4 may wait$/],
  ];

gpuTest("What is wrong gets the API's error and status, and nothing is left of it", async (gpu) => {
  await withServer(gpu, { maxWaiting: 4 }, async ({ url, post, engine }) => {
    for (const [body, status, param, message] of REFUSED) {
      const init = typeof body === "string" ? { body } : {};
      const response = await post(typeof body === "string" ? {} : { prompt: PROMPT, ...body }, init);
      const { error } = await response.json();
      assert.deepEqual([response.status, error.param], [status, param], JSON.stringify([body, error]));
      assert.match(error.message, message);
      assert.equal(error.type, "invalid_request_error");
    }
    const chunked = new Blob(["{", " ".repeat(5000)]).stream();
    const cases: [string, RequestInit, number][] = [
      ["/v1/completions", { method: "POST", body: "{}" }, 415],
      ["/v1/completions", {}, 405],
      ["/v1/chat/completions", { method: "POST" }, 404],
      ["/v1/models/other", {}, 404],
      [
        "/v1/completions",
        { method: "POST", body: chunked, headers: { "content-type": "application/json" } },
        413,
      ],
    ];
    for (const [path, init, status] of cases) {
      const response = await fetch(url + path, init);
      const { error } = await response.json();
      assert.deepEqual([response.status, typeof error.message], [status, "string"], path);
    }
    assert.deepEqual([engine.nRunning, engine.nWaiting, engine.usage().stored], [0, 0, 0]);
    const list = await (await fetch(`${url}/v1/models`)).json();
    assert.deepEqual(
      list.data.map(({ id, max_model_len }: { id: string; max_model_len: number }) => [id, max_model_len]),
      [
        ["random", N_CTX],
      ],
    );
    assert.equal((await (await fetch(`${url}/v1/models/random`)).json()).id, "random");
    assert.deepEqual(await (await fetch(`${url}/health`)).json(), { status: "ok" });
  });
}, { needs });

gpuTest("A server of this machine answers no page that comes under another name", async (gpu) => {
  await withServer(gpu, {}, async ({ url }) => {
    const { hostname, port } = new URL(url);
    for (
      const [host, status] of [["evil.example", 403], ["localhost", 200], [`127.0.0.1:${port}`, 200]] as const
    ) {
      using connection = await Deno.connect({ hostname, port: Number(port) });
      const text = `GET /health HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
      await connection.write(new TextEncoder().encode(text));
      const answer = await new Response(connection.readable).text();
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
    }
  });
}, { needs });

gpuTest("An API key is asked for below /v1 and nowhere else", async (gpu) => {
  await withServer(gpu, { apiKey: "secret" }, async ({ url, post }) => {
    for (const authorization of [undefined, "Bearer wrong", "secret"]) {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      const response = await post({ prompt: PROMPT }, { headers });
      const { error } = await response.json();
      assert.deepEqual([response.status, error.code], [401, "invalid_api_key"]);
    }
    await whole(post({ prompt: PROMPT }, { headers: { authorization: "Bearer secret" } }));
    for (const path of ["/health", "/metrics"]) {
      const response = await fetch(url + path);
      await response.text();
      assert.equal(response.status, 200);
    }
  });
}, { needs });

gpuTest("More than the limits allow gets status 429, and what is under way goes on", async (gpu) => {
  const long = { prompt: PROMPT, max_tokens: 35, ignore_eos: true };
  await withServer(gpu, { maxRequests: 2 }, async ({ post }) => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => post(long)));
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [200, 200, 429, 429, 429, 429]);
    for (const answer of answers) {
      const json = await answer.json();
      if (answer.status === 200) assert.equal(idsOf(json.choices[0].text).length, 35);
      else assert.equal(json.error.code, "rate_limit_exceeded");
    }
  });
  await withServer(gpu, { maxSequences: 1, maxWaiting: 2 }, async ({ post }) => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(long)));
    await Promise.all(answers.map((answer) => answer.text()));
    const nRefused = answers.filter(({ status }) => status === 429).length;
    assert.ok(nRefused >= 4 && nRefused <= 6, String(nRefused));
  });
}, { needs });

gpuTest("A client that leaves frees its blocks, whether it streams or waits", async (gpu) => {
  await withServer(gpu, { maxSequences: 1 }, async ({ url, post, engine }) => {
    for (const stream of [true, false]) {
      const leaving = new AbortController();
      const body = { prompt: PROMPT, max_tokens: 35, ignore_eos: true, stream };
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
  });
}, { needs });

gpuTest("Metrics count what was served", async (gpu) => {
  const memory = new PagedMemory({ nBlocks: 10, blockSize: 4, watermark: 0 });
  await withServer(gpu, { memory }, async ({ url, post }) => {
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
      const answers = await Promise.all([post(body), post({ ...body, stream: false })]);
      await until(() => engine.nRunning === 2, "both run");
      const stopped = stop();
      const events = await Array.fromAsync(eventsOf(answers[0]!));
      assert.equal(JSON.parse(events.at(-1)!).error.message, "The server is shutting down");
      assert.equal((await answers[1]!.json()).error.code, "unavailable");
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
  const gpu = await Gpu.open();
  const failed = withRandomModel(gpu, (model) =>
    serveModel(model, {}, async ({ post }) => {
      const body = { prompt: PROMPT, max_tokens: 30, ignore_eos: true, stream: true };
      const response = await post(body);
      gpu.device.destroy();
      const events = await Array.fromAsync(eventsOf(response));
      assert.equal(JSON.parse(events.at(-1)!).error.message, "The server has failed");
    }));
  await assert.rejects(failed, (error) => error instanceof KvbenchError && /^The GPU /.test(error.message));
});
