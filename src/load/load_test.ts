/** Plans and records of load tests, and how requests are sent, with a client that only counts. */
import assert from "node:assert/strict";
import { LOAD_FACTS, LOAD_PLAN } from "../../tests/fixtures/load.ts";
import { KvbenchError } from "../base/errors.ts";
import { loadFigures } from "../report/figures/load.ts";
import { loadTable } from "../report/load_table.ts";
import { type LoadAnswer, LoadClient, type LoadRequest } from "./client.ts";
import { loadPrompt, loadRequests } from "./plan.ts";
import { loadResult, parseLoad } from "./load_result.ts";
import { type LoadRun, runLoad } from "./run.ts";

Deno.test("A plan's requests fit the context, begin alike, and are the same at every call", () => {
  const requests = loadRequests(LOAD_PLAN);
  assert.deepEqual(loadRequests(LOAD_PLAN), requests);
  assert.ok(requests.every(({ promptTokens, newTokens }) => promptTokens + newTokens <= 36));
  assert.ok(requests.every(({ promptTokens }) => promptTokens >= 5 && promptTokens <= 19));
  assert.ok(new Set(requests.map(({ newTokens }) => newTokens)).size > 5);
  const prompts = requests.map((request) => loadPrompt(request, LOAD_PLAN));
  assert.deepEqual(prompts.map(({ length }) => length), requests.map(({ promptTokens }) => promptTokens));
  assert.equal(new Set(prompts.map((ids) => ids.slice(0, 4).join())).size, 1);
  assert.equal(new Set(prompts.map((ids) => ids.slice(4).join())).size, 40);
  assert.ok(prompts.flat().every((id) => id >= 0 && id < 100));
  for (
    const lengths of [{ dataSet: "alpaca" } as const, {
      file: "f",
      recorded: [{ promptTokens: 99, newTokens: 9 }],
    }]
  ) {
    for (const { promptTokens, newTokens } of loadRequests({ ...LOAD_PLAN, lengths })) {
      assert.ok(promptTokens > 4 && newTokens > 0 && promptTokens + newTokens <= 36);
    }
  }
});

Deno.test("loadResult() defines latencies as vLLM does, and counts what met the limits", () => {
  const answer = (
    startMs: number,
    chunkMs: number[],
    outputTokens = chunkMs.length,
  ): LoadRun["outcomes"][number] => ({
    answer: { startMs, chunkMs, promptTokens: 7, outputTokens },
  });
  const run: LoadRun = {
    ms: 2000,
    peakConcurrency: 2,
    outcomes: [
      answer(100, [150, 160, 190]),
      answer(110, [310]),
      answer(120, [140, 180], 5),
      answer(130, []),
      { failure: "busy" },
      { failure: "busy" },
    ],
  };
  const limits = { ttftMs: 60, tpotMs: 15, e2eMs: undefined };
  const result = loadResult({ ...LOAD_PLAN, limits }, run, LOAD_FACTS);
  assert.deepEqual(result.requests.map(({ start_ms, ttft_ms, e2e_ms }) => [start_ms, ttft_ms, e2e_ms]), [
    [0, 50, 90],
    [10, 200, 200],
    [20, 20, 60],
  ]);
  assert.deepEqual([result.finished, result.prompt_tokens, result.output_tokens], [3, 21, 9]);
  assert.deepEqual(result.failures, [
    { reason: "busy", requests: 2 },
    { reason: "The answer has no token", requests: 1 },
  ]);
  assert.deepEqual([result.tpot_ms!.max, result.tpot_ms!.mean], [20, 15]); // (90 - 50) / 2 and (60 - 20) / 4
  assert.deepEqual([result.itl_ms!.mean, result.itl_ms!.max], [80 / 3, 40]);
  assert.deepEqual([result.requests_per_second, result.output_tokens_per_second], [1.5, 4.5]);
  assert.equal(result.goodput_per_second, 0.5); // the third alone
  assert.deepEqual(parseLoad(JSON.parse(JSON.stringify(result)), "a test"), result);
  const [ttft, tpot] = loadFigures(result);
  assert.deepEqual(ttft!.series[0], {
    ...ttft!.series[0]!,
    points: [[20, 100 / 3], [50, 200 / 3], [200, 100]],
  });
  assert.deepEqual(tpot!.table.rows.at(-1), [100, 20]);
  const table = loadTable(result);
  assert.match(table, /^2 failed: busy$/m);
  assert.match(table, /goodput, requests\/s \(TTFT ≤ 60\.0 ms, TPOT ≤ 15\.0 ms\) +0\.500/);
});

/** Answers after a while, and counts. */
class CountingClient {
  nNow = 0;
  peak = 0;
  readonly seen: LoadRequest[] = [];

  async complete(_model: string, request: LoadRequest, signal?: AbortSignal): Promise<LoadAnswer> {
    const startMs = performance.now();
    this.seen.push(request);
    this.peak = Math.max(this.peak, ++this.nNow);
    await new Promise((resolve) => setTimeout(resolve, 4));
    this.nNow--;
    if (signal?.aborted || this.seen.length % 10 === 0) throw new KvbenchError("busy");
    const { prompt, newTokens } = request;
    return { startMs, chunkMs: [performance.now()], promptTokens: prompt.length, outputTokens: newTokens };
  }
}

Deno.test("runLoad() sends every request once, at most so many at a time, and goes on where one fails", async () => {
  const client = new CountingClient();
  let nEnded = 0;
  const run = await runLoad(client, "m", { ...LOAD_PLAN, maxConcurrency: 3 }, {
    onProgress: (n) => nEnded = n,
  });
  assert.deepEqual([client.seen.length, client.peak, run.peakConcurrency, nEnded], [40, 3, 3, 40]);
  assert.deepEqual(
    client.seen.map(({ prompt }) => prompt),
    loadRequests(LOAD_PLAN).map((each) => loadPrompt(each, LOAD_PLAN)),
  );
  assert.ok(run.outcomes.some((outcome) => "failure" in outcome && outcome.failure === "busy"));
  assert.ok(run.outcomes.filter((outcome) => "answer" in outcome).length > 20);
});

Deno.test("runLoad() keeps to the times of the plan, and ends when it is interrupted", async () => {
  const client = new CountingClient();
  const plan = { ...LOAD_PLAN, ratePerSecond: 200 };
  const run = await runLoad(client, "m", plan);
  const last = loadRequests(plan).at(-1)!.arrivalMs;
  assert.ok(last > 50 && run.ms >= last, `${run.ms} ms, the last came at ${last}`);

  const interrupt = new AbortController();
  const slow = new CountingClient();
  const ended = runLoad(slow, "m", { ...LOAD_PLAN, ratePerSecond: 0.001 }, { signal: interrupt.signal });
  interrupt.abort();
  assert.deepEqual((await ended).outcomes, []);
  assert.equal(slow.seen.length, 0);
});

Deno.test("LoadClient wants a URL of HTTP", () => {
  for (const url of ["127.0.0.1", "ftp://x", ""]) {
    const target = { url, apiKey: undefined, timeoutMs: 1000 };
    assert.throws(() => new LoadClient(target), {
      name: "KvbenchError",
      message: /^Cannot use .*: expected a URL such as/,
    });
  }
});
