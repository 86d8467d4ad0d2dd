/** Connections that are too many, too slow, or no HTTP: each is turned away, and nobody else notices. */
import assert from "node:assert/strict";
import { Connection } from "../src/serve/connection.ts";
import { gpuTest } from "./gpu_support.ts";
import { permitted } from "./permitted.ts";
import { PROMPT, whole, withServer } from "./serve_support.ts";

const needs = ["net"] as const;

/** A client that sends bytes as it likes. */
class RawClient {
  readonly #connection: Deno.TcpConn;

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async connect(url: string): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    return new RawClient(await Deno.connect({ hostname, port: Number(port) }));
  }

  async send(text: string): Promise<void> {
    await this.#connection.write(new TextEncoder().encode(text));
  }

  /** Everything that comes until the server closes. */
  async rest(): Promise<string> {
    let text = "";
    try {
      for await (const chunk of this.#connection.readable.pipeThrough(new TextDecoderStream())) text += chunk;
    } catch {
      // reset: what came before it counts
    }
    return text;
  }

  /** What comes up to some text. */
  async through(end: string): Promise<string> {
    let text = "";
    const buffer = new Uint8Array(1000);
    while (!text.includes(end)) {
      const count = await this.#connection.read(buffer);
      assert.ok(count !== null, `closed after ${JSON.stringify(text)}`);
      text += new TextDecoder().decode(buffer.subarray(0, count));
    }
    return text;
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // closed by reading to the end
    }
  }
}

const HEALTH = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
const BODY = JSON.stringify({ model: "random", prompt: PROMPT, max_tokens: 3, ignore_eos: true });
const POST = "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" +
  `content-length: ${BODY.length}\r\n\r\n`;

gpuTest(
  "Where all connections have requests under way, one more gets status 503, and they go on",
  async (gpu) => {
    await withServer(gpu, { maxConnections: 2 }, async ({ url }) => {
      using first = await RawClient.connect(url);
      using second = await RawClient.connect(url);
      for (const client of [first, second]) {
        await client.send(HEALTH); // so that it is let in before the next one comes
        await client.through('{"status":"ok"}');
        await client.send(POST + BODY[0]);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (let i = 0; i < 20; i++) {
        using third = await RawClient.connect(url);
        const answer = await third.rest();
        assert.match(answer, /^HTTP\/1\.1 503 Service Unavailable\r\n/);
        assert.match(answer, /\r\nretry-after: 1\r\n/);
        assert.match(answer, /"2 connections are served, which is the limit"/);
      }
      await first.send(BODY.slice(1));
      assert.match(await first.through('"usage"'), /^HTTP\/1\.1 200 OK\r\n/);
      await second.send(BODY.slice(1));
      assert.match(await second.through('"usage"'), /^HTTP\/1\.1 200 OK\r\n/);
      const metrics = await (await fetch(`${url}/metrics`)).text();
      assert.match(metrics, /^kvbench_connections 2$/m);
      assert.match(metrics, /^kvbench_connections_refused_total 20$/m);
    });
  },
  { needs },
);

gpuTest("The connection that has waited longest makes room for a new one", async (gpu) => {
  await withServer(gpu, { maxConnections: 3 }, async ({ url }) => {
    using idle = await RawClient.connect(url);
    await idle.send(HEALTH);
    await idle.through('{"status":"ok"}');
    using half = await RawClient.connect(url);
    await half.send("GET / HTT");
    using busy = await RawClient.connect(url);
    await busy.send(POST + BODY[0]);
    await new Promise((resolve) => setTimeout(resolve, 50));

    using fourth = await RawClient.connect(url);
    await fourth.send(HEALTH);
    await fourth.through('{"status":"ok"}');
    assert.equal(await idle.rest(), "");
    using fifth = await RawClient.connect(url);
    await fifth.send(HEALTH);
    await fifth.through('{"status":"ok"}');
    assert.equal(await half.rest(), "");
    await busy.send(BODY.slice(1));
    assert.match(await busy.through('"usage"'), /^HTTP\/1\.1 200 OK\r\n/);
  });
}, { needs });

gpuTest("A crowd of 500 half-sent requests leaves room for whole ones, and none of it stays", async (gpu) => {
  const options = { maxConnections: 50, headerTimeoutMs: 500 };
  await withServer(gpu, options, async ({ url, post }) => {
    const streamed = post({ prompt: PROMPT, max_tokens: 30, ignore_eos: true, stream: true });
    const crowd = await Promise.all(Array.from({ length: 500 }, async () => {
      const client = await RawClient.connect(url);
      await client.send("GET / HTT").catch(() => {}); // may have been closed by now
      return client;
    }));
    await whole(post({ prompt: PROMPT, max_tokens: 3 }));
    assert.match(await (await streamed).text(), /data: \[DONE\]\n\n$/);
    const answers = await Promise.all(crowd.map((client) => client.rest()));
    const kinds = new Set(answers.map((answer) => answer.split("\r\n")[0]));
    assert.ok(kinds.has("HTTP/1.1 408 Request Timeout"), [...kinds].join());
    for (const kind of kinds) assert.match(kind!, /^(HTTP\/1\.1 (408|503) .*)?$/);
    for (const client of crowd) client[Symbol.dispose]();
    const nConnections = async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      return Number(/^kvbench_connections (\d+)$/m.exec(metrics)![1]);
    };
    // Those of whole requests may be kept open.
    for (let i = 0; i < 200 && await nConnections() > 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok(await nConnections() <= 3);
  });
}, { needs });

gpuTest(
  "Headers and bodies that come too slowly get status 408, and silence is closed without a word",
  async (gpu) => {
    const options = { headerTimeoutMs: 200, bodyTimeoutMs: 300, idleTimeoutMs: 60_000 };
    await withServer(gpu, options, async ({ url, engine }) => {
      const clients = await Promise.all(["", "GET / HTTP/1.1\r\nx: ", POST + BODY[0]].map(async (text) => {
        const client = await RawClient.connect(url);
        await client.send(text);
        return client;
      }));
      // A byte now and then does not help.
      const drips = clients.slice(1).map(async (client) => {
        for (let i = 0; i < 100; i++) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          await client.send(" ");
        }
      });
      for (const drip of drips) drip.catch(() => {});
      const [silent, headers, body] = await Promise.all(clients.map((client) => client.rest()));
      assert.equal(silent, "");
      assert.match(headers!, /^HTTP\/1\.1 408 .*The request's headers have not come within 0\.2 seconds/s);
      assert.match(body!, /^HTTP\/1\.1 408 .*The request's body has not come within 0\.3 seconds/s);
      for (const client of clients) client[Symbol.dispose]();
      await Promise.allSettled(drips);

      using kept = await RawClient.connect(url);
      for (let i = 0; i < 2; i++) {
        await kept.send(HEALTH);
        await kept.through('{"status":"ok"}');
        await new Promise((resolve) => setTimeout(resolve, 300)); // the headers' time is not that between requests
      }
      await kept.send("GET /he");
      assert.match(await kept.rest(), /^HTTP\/1\.1 408 /);
      assert.equal(engine.nRunning, 0);
    });
  },
  { needs },
);

gpuTest("A connection without a next request is closed after its time", async (gpu) => {
  await withServer(gpu, { idleTimeoutMs: 200 }, async ({ url }) => {
    using client = await RawClient.connect(url);
    await client.send(HEALTH);
    await client.through('{"status":"ok"}');
    assert.equal(await client.rest(), "");
  });
}, { needs });

Deno.test("A client that takes nothing of what it is sent is closed after its time", {
  ignore: !permitted(...needs),
}, async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const connection = new Connection(await listener.accept(), { headerTimeoutMs: 60_000, idleTimeoutMs: 200 });
  const closed = new Promise((resolve) => connection.once("close", resolve));
  connection.write(new Uint8Array(64 * 2 ** 20)); // more than any socket takes
  await closed;
  listener.close();
  assert.ok(client.remoteAddr);
});

gpuTest("What is no HTTP, or too much of it, gets an answer and ends its connection alone", async (gpu) => {
  await withServer(gpu, {}, async ({ url, post }) => {
    const cases: readonly (readonly [text: string, answer: RegExp])[] = [
      ["\u0016\u0003\u0001\u0002\u0000\u0001", /^HTTP\/1\.1 400 .*"The request is not valid HTTP: /s],
      ["GET /health HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 /],
      [`GET /health HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
      ["TRACE /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", /^HTTP\/1\.1 40[05] /],
      ["CONNECT a:1 HTTP/1.1\r\nhost: localhost\r\n\r\n", /^$/],
      [
        "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n" +
        "content-type: application/json\r\n\r\nzz\r\n",
        /^(HTTP\/1\.1 400 .*)?$/s,
      ],
      [
        "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        /^HTTP\/1\.1 200 .*\r\nconnection: close\r\n/s,
      ],
      [
        `${HEALTH}GET /v1/models/other HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`,
        /^HTTP\/1\.1 200 .*{"status":"ok"}.*HTTP\/1\.1 404 /s,
      ],
    ];
    const streamed = post({ prompt: PROMPT, max_tokens: 30, ignore_eos: true, stream: true });
    for (const [text, answer] of cases) {
      using client = await RawClient.connect(url);
      await client.send(text);
      assert.match(await client.rest(), answer, JSON.stringify(text));
    }
    assert.match(await (await streamed).text(), /data: \[DONE\]\n\n$/);
    assert.deepEqual(await (await fetch(`${url}/health`)).json(), { status: "ok" });
  });
}, { needs });

gpuTest(
  "A server that ends waits neither for half-sent requests nor for those that come too late",
  async (gpu) => {
    await withServer(gpu, { graceMs: 60_000 }, async ({ url, stop }) => {
      using half = await RawClient.connect(url);
      await half.send("GET / HTT");
      using late = await RawClient.connect(url);
      await late.send(HEALTH);
      await late.through('{"status":"ok"}');
      const startMs = performance.now();
      const stopped = stop();
      await late.send(HEALTH);
      await stopped;
      assert.ok(performance.now() - startMs < 30_000, "the grace is for requests under way");
    });
  },
  { needs },
);
