/** The load generator against a server that is right, and against servers that are wrong. */
import assert from "node:assert/strict";
import { LoadClient } from "../src/load/client.ts";
import { runLoad } from "../src/load/run.ts";
import { gpuTest } from "./gpu_support.ts";
import { permitted } from "./permitted.ts";
import { loadPlanOf, loadTest, N_CTX, withServer } from "./serve_support.ts";

gpuTest("A load test gets from the server every token that it asks for", async (gpu) => {
  await withServer(gpu, { apiKey: "k" }, async ({ url, engine }) => {
    const client = new LoadClient({ url: `${url}/v1/`, apiKey: "k", timeoutMs: 60_000 });
    assert.deepEqual(await client.models(), [{ id: "random", maxTokens: N_CTX }]);
    const plan = loadPlanOf({
      ...{ nRequests: 12, ratePerSecond: 200, maxConcurrency: 5, prefixTokens: 8 },
      lengths: { uniform: { promptTokens: 10, newTokens: 12, spread: 0.8 } },
    });
    const { run, result } = await loadTest(client, url, plan);
    assert.deepEqual([result.finished, result.failures], [12, []]);
    run.outcomes.forEach((outcome) => {
      assert.ok("answer" in outcome && outcome.answer.chunkMs.length === outcome.answer.outputTokens);
    });
    assert.ok(result.ttft_ms!.p50 > 0 && result.e2e_ms!.p50 > result.ttft_ms!.p50);
    assert.ok(engine.counters.hitTokens >= 8 * 6, "the shared beginning is found in the cache");

    const refused = await runLoad(client, "other", { ...plan, nRequests: 1 });
    assert.deepEqual(refused.outcomes, [{
      failure:
        "The server answers with status 404: The model 'other' does not exist: this server has 'random'",
    }]);
  });
}, { needs: ["net"] });

Deno.test("Servers that are wrong are told apart in one line", { ignore: !permitted("net") }, async () => {
  const chunk = `data: {"choices":[{"text":"a"}]}\n\n`;
  const answers: Record<string, () => Response | Promise<Response>> = {
    "status 500": () => new Response("oops", { status: 500 }),
    "an error within": () => new Response(`${chunk}data: {"error":{"message":"out of memory"}}\n\n`),
    "broken off": () => new Response(chunk),
    "no JSON": () => new Response("data: {\n\n"),
    "no chunk": () => new Response(`data: {"a":1}\n\n`),
    "too late": () => new Promise((resolve) => setTimeout(() => resolve(new Response(chunk)), 400)),
  };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      if (request.method === "GET") return Response.json({ data: [] });
      const { model } = await request.json();
      return await answers[model]!();
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const client = new LoadClient({ url, apiKey: undefined, timeoutMs: 200 });
  const expected: readonly (readonly [name: string, message: RegExp])[] = [
    ["status 500", /^The server answers with status 500$/],
    ["an error within", /^out of memory$/],
    ["broken off", /^The answer broke off: expected \[DONE\] at its end$/],
    ["no JSON", /^The server sent an event that is not JSON: \{$/],
    ["no chunk", /^The server sent an event that is no chunk of a completion: \{"a":1\}$/],
    ["too late", /^The answer took longer than 0\.2 seconds$/],
  ];
  const request = { prompt: [1], newTokens: 1, temperature: 0, ignoreEos: true };
  for (const [name, message] of expected) {
    await assert.rejects(client.complete(name, request), { name: "KvbenchError", message }, name);
  }
  await assert.rejects(client.models(), { name: "KvbenchError", message: /lists no models/ });
  await server.shutdown();
  await assert.rejects(client.models(), { name: "KvbenchError", message: /^Cannot reach http.*refused/ });
});
