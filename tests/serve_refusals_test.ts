/**
 * Whom the server turns away: wrong requests, pages of other names, strangers, and more than it has room for.
 */
import assert from "node:assert/strict";
import OpenAI from "openai";
import { gpuTest } from "./gpu_support.ts";
import { idsOf, N_CTX, PROMPT, VOCAB_SIZE, whole, withServer } from "./serve_support.ts";

const needs = ["net"] as const;

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
      /700 characters: expected at most 640 for a context of 40 tokens/,
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
    [{ stop: "" }, 400, "stop", /^Invalid 'stop': expected at least one character$/],
    [{ stop: ["a", ""] }, 400, "stop.1", /^Invalid 'stop.1': expected at least one character$/],
    [{ logprobs: 6 }, 400, "logprobs", /^Invalid 'logprobs'/],
    [{ logprobs: 1, echo: true }, 400, "echo", /not supported together with 'logprobs'$/],
    [{ suffix: "x" }, 400, "suffix", /^Invalid 'suffix': is not supported$/],
    [{ presence_penalty: 1 }, 400, "presence_penalty", /only 0 is supported$/],
    [{ best_of: 2 }, 400, "best_of", /only the value of 'n' is supported$/],
    [{ stream_options: {} }, 400, "stream_options", /only allowed with 'stream'$/],
    [{ colour: 1 }, 400, "colour", /^Unrecognized request argument supplied: colour$/],
    [{ model: "gpt-4" }, 404, "model", /^The model 'gpt-4' does not exist: this server has 'random'$/],
    [{ user: "x".repeat(5000) }, 413, null, /^The body is too large: expected at most 4096 bytes$/],
    [
      { prompt: Array(5).fill(MANY_BLOCKS) },
      400,
      "prompt",
      /has 5 prompts: expected at most 4, which may wait$/,
    ],
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
      ["/v1/chat/completions", {}, 405],
      ["/v1/embeddings", { method: "POST" }, 404],
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

gpuTest(
  "A chat completion is refused with the name of what there is, as OpenAI's client knows it",
  async (gpu) => {
    await withServer(gpu, { apiKey: "k" }, async ({ url }) => {
      const ask = (apiKey: string) =>
        new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 }).chat.completions.create({
          model: "random",
          messages: [{ role: "user", content: "Hello" }],
        });
      await assert.rejects(
        ask("k"),
        (error) =>
          error instanceof OpenAI.NotFoundError && error.code === "model_not_supported" &&
          /'random' is not a chat model: it has no chat template.* Send a prompt to v1\/completions/.test(
            error.message,
          ),
      );
      await assert.rejects(ask("other"), OpenAI.AuthenticationError);
    });
  },
  { needs },
);

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
