/**
 * Faults around `kvbench serve` as a user runs it: a crowd of connections where few files may be open, a client that is
 * killed, and a signal while answers are under way.
 */
import assert from "node:assert/strict";
import OpenAI from "openai";
import { loadGpt2Tokenizer } from "../src/checkpoint/gpt2_tokenizer.ts";
import { goldenCase, ignore, kvbench, type RunOptions, type RunResult, WEIGHTS } from "./cli_support.ts";

const LEAST = [`--allow-read=${WEIGHTS}`, "--allow-net=127.0.0.1"];
const ARGS = ["serve", "--port", "0", "--no-autotune"];
/** More than the fewest seconds that a server needs to answer while something happens to it. */
const LONG = 900;

/** Runs a server while `body` does what it does with its address; then a signal ends the server. */
async function whileServing(
  options: RunOptions & { readonly more?: readonly string[] },
  body: (url: string) => Promise<void>,
): Promise<RunResult> {
  const { more = [], ...others } = options;
  return await kvbench([...ARGS, ...more], {
    flags: LEAST,
    ...others,
    whenReady: (line) => body(/http:\/\/[^/\s]+/.exec(line)![0]),
  });
}

function clientOf(url: string): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
}

/** What a greedy completion of the golden prompt says. */
async function golden(
  nTokens: number,
): Promise<{ body: { prompt: string; max_tokens: number }; text: string }> {
  const { prompt = "", greedy } = await goldenCase("tiny", "once");
  const text = (await loadGpt2Tokenizer()).decode(greedy.slice(0, nTokens));
  return { body: { prompt, max_tokens: nTokens }, text };
}

/** The value of a metric. */
async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(text.split("\n").find((line) => line.startsWith(`${name} `))?.split(" ")[1]);
}

/** Connects so many times, sends some text each time, and keeps the connections. */
async function crowd(url: string, size: number, text: string): Promise<Deno.TcpConn[]> {
  const { hostname, port } = new URL(url);
  const bytes = new TextEncoder().encode(text);
  return await Promise.all(Array.from({ length: size }, async () => {
    const connection = await Deno.connect({ hostname, port: Number(port) });
    await connection.write(bytes).catch(() => {}); // may have been closed by now
    return connection;
  }));
}

for (
  const { name, flags, more, caution } of [
    { name: "least permissions", flags: LEAST, more: [], caution: true },
    { name: "every permission", flags: ["-A"], more: [], caution: false },
    { name: "--max-connections", flags: LEAST, more: ["--max-connections", "40"], caution: false },
  ]
) {
  Deno.test(`A crowd of connections does not end a server that may open 128 files, with ${name}`, {
    ignore: ignore || Deno.build.os === "windows",
  }, async () => {
    const { body, text } = await golden(40);
    const connections: Deno.TcpConn[] = [];
    const { code, stdout, stderr } = await whileServing({ openFiles: 128, flags, more }, async (url) => {
      const client = clientOf(url);
      const ask = () => client.completions.create({ model: "tiny", temperature: 0, ...body });
      const underWay = ask();
      connections.push(...await crowd(url, 300, "GET / HTT"));
      const idle = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
      connections.push(...await crowd(url, 300, idle));
      for (const completion of [await underWay, await ask()]) assert.equal(completion.choices[0]!.text, text);
    });
    for (const connection of connections) connection.close();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Stopped\. Buffers left on the GPU: 0 B$/m);
    if (caution) {
      assert.match(stderr, /^(Caution: this process can open no more files: .* \d+ connections\n)+$/);
    } else assert.equal(stderr, "");
  });
}

Deno.test(
  "Where requests under way hold every file, the server goes on, and refuses others until they end",
  {
    ignore: ignore || Deno.build.os === "windows",
  },
  async () => {
    const { body, text } = await golden(40);
    const connections: Deno.TcpConn[] = [];
    const more = ["--body-timeout", "3"];
    const { code, stdout, stderr } = await whileServing({ openFiles: 128, more }, async (url) => {
      const ask = () => clientOf(url).completions.create({ model: "tiny", temperature: 0, ...body });
      const long = { model: "tiny", prompt: "The", max_tokens: 300, ...{ ignore_eos: true } };
      const answer = await clientOf(url).completions.create({ ...long, stream: true });
      const stream = answer[Symbol.asyncIterator]();
      assert.equal((await stream.next()).done, false);
      const head = "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
      connections.push(...await crowd(url, 200, `${head}content-length: 100\r\n\r\n{`));
      let chunks = 1;
      while (!(await stream.next()).done) chunks++;
      assert.equal(chunks, 300);
      for (let i = 0; i < 200; i++) {
        try {
          assert.equal((await ask()).choices[0]!.text, text);
          return;
        } catch (error) {
          // A client that is slow to read its refusal finds its connection closed.
          const isRefusal = error instanceof OpenAI.APIConnectionError ||
            error instanceof OpenAI.InternalServerError && error.status === 503;
          if (!isRefusal) throw error;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
      throw new Error("No one is served any more");
    });
    for (const connection of connections) connection.close();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Stopped\. Buffers left on the GPU: 0 B$/m);
    assert.match(stderr, /^(Caution: this process can open no more files: .* \d+ connections\n)+$/);
  },
);

Deno.test("A client that is killed in the middle of a stream gives its blocks back, and others go on", {
  ignore: ignore || Deno.build.os === "windows",
}, async () => {
  const { body, text } = await golden(40);
  const { code, stdout, stderr } = await whileServing({}, async (url) => {
    const script = `
      const body = { model: "tiny", prompt: "The", max_tokens: ${LONG}, ignore_eos: true, stream: true };
      const response = await fetch("${url}/v1/completions", {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      });
      for await (const _ of response.body) console.log("has a part");
    `;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-config", "--no-prompt", "--allow-net=127.0.0.1", "-"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const stdin = child.stdin.getWriter();
    await stdin.write(new TextEncoder().encode(script));
    await stdin.close();
    const output = child.stdout.getReader();
    assert.equal((await output.read()).done, false, "it has a part of its answer");
    const other = clientOf(url).completions.create({ model: "tiny", temperature: 0, ...body });
    child.kill("SIGKILL");
    await child.status;
    await output.cancel();
    assert.equal((await other).choices[0]!.text, text);
    for (let i = 0; i < 200 && await metric(url, "kvbench_kv_usage_ratio") > 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(await metric(url, "kvbench_kv_usage_ratio"), 0);
    assert.equal(await metric(url, "kvbench_sequences_running"), 0);
    assert.equal(await metric(url, 'kvbench_requests_total{outcome="cancelled"}'), 1);
    assert.ok(await metric(url, "kvbench_generated_tokens_total") < LONG, "it was not computed to its end");
  });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^Stopped\. Buffers left on the GPU: 0 B$/m);
});

Deno.test(
  "At a signal, the openai package gets errors for answers that are not finished, and no completion",
  {
    ignore: ignore || Deno.build.os === "windows",
  },
  async () => {
    let whole: Promise<unknown> | undefined;
    let rest: Promise<unknown> | undefined;
    const { code, stderr } = await whileServing({ more: ["--grace", "0"] }, async (url) => {
      const client = clientOf(url);
      // No field of OpenAI's, which its types would refuse.
      const body = { model: "tiny", prompt: "The", max_tokens: LONG, ...{ ignore_eos: true } };
      whole = client.completions.create(body);
      whole.catch(() => {}); // awaited below
      const stream = (await client.completions.create({ ...body, stream: true }))[Symbol.asyncIterator]();
      assert.equal((await stream.next()).done, false);
      rest = (async () => {
        while (!(await stream.next()).done);
      })();
      rest.catch(() => {});
      for (let i = 0; i < 200 && await metric(url, "kvbench_sequences_running") < 2; i++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    await assert.rejects(whole!, (error) => {
      assert.ok(error instanceof OpenAI.InternalServerError, String(error));
      assert.deepEqual([error.status, error.code], [503, "unavailable"]);
      assert.equal(error.headers.get("retry-after"), "1");
      return true;
    });
    await assert.rejects(rest!, (error) => {
      assert.ok(error instanceof OpenAI.APIError, String(error));
      assert.match(error.message, /The server is shutting down/);
      return true;
    });
    assert.deepEqual([code, stderr], [0, ""]);
  },
);
