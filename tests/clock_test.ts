/** The system's clock may be set at any moment: it dates results and answers, and times nothing. */
import assert from "node:assert/strict";
import { PassingError } from "../src/hub/http.ts";
import { assertOk } from "../src/hub/remote_file.ts";
import { latencyRun, perTokenRun } from "../src/measure/run/cell_runs.ts";
import { LoadClient } from "../src/load/client.ts";
import { STATIC, withDecoder, withRandomModel } from "./decode_support.ts";
import { gpuTest } from "./gpu_support.ts";
import { permitted } from "./permitted.ts";
import { loadPlanOf, loadTest, PROMPT, withServer } from "./serve_support.ts";
import { sourcesIn } from "./sources.ts";

const HOUR_MS = 3_600_000;

/** Runs `body` while every look at the system's clock finds it an hour ahead, or behind, by turns. */
async function withRestlessClock(body: () => Promise<void>): Promise<number> {
  const RealDate = Date;
  let looks = 0;
  const now = () => RealDate.now() + (looks++ % 2 === 0 ? HOUR_MS : -HOUR_MS);
  globalThis.Date = class extends RealDate {
    constructor(value: string | number | Date = now()) {
      super(value);
    }
    static override now = now;
  } as DateConstructor;
  try {
    await body();
  } finally {
    globalThis.Date = RealDate;
  }
  return looks;
}

gpuTest(
  "Where the clock is set while requests are served, the times of server and load test are right",
  async (gpu) => {
    const looks = await withRestlessClock(() =>
      withServer(gpu, { headerTimeoutMs: 60_000 }, async ({ url }) => {
        const startMs = performance.now();
        const client = new LoadClient({ url, apiKey: undefined, timeoutMs: 60_000 });
        const plan = loadPlanOf({ nRequests: 8, ratePerSecond: 100, maxConcurrency: 4 });
        const { result } = await loadTest(client, url, plan);
        const metrics = await (await fetch(`${url}/metrics`)).text();
        const wallMs = performance.now() - startMs;
        assert.equal(result.finished, 8);
        for (const times of [result.ttft_ms!, result.tpot_ms!, result.e2e_ms!]) {
          for (const ms of [times.p50, times.p99]) assert.ok(ms > 0 && ms <= wallMs, `${ms} of ${wallMs} ms`);
        }
        for (const name of ["time_to_first_token", "time_per_output_token"]) {
          const [, sum] = new RegExp(`^kvbench_${name}_seconds_sum (\\S+)$`, "m").exec(metrics)!;
          assert.ok(Number(sum) > 0 && Number(sum) <= 8 * wallMs / 1000, `${name}: ${sum} s`);
        }
      })
    );
    assert.ok(looks > 0, "answers are dated");
  },
  { needs: ["net"] },
);

gpuTest("Where the clock is set during a run, its latencies are right", async (gpu) => {
  await withRandomModel(gpu, (model) =>
    withDecoder(model, { variant: STATIC }, async (decoder) => {
      await withRestlessClock(async () => {
        const startMs = performance.now();
        const work = { prompts: [PROMPT], newTokens: 12, kvDtype: "f32" } as const;
        const { ttft_ms, e2e_ms, encode_ms } = await latencyRun(model, work, decoder);
        const gaps = await perTokenRun(model, work, decoder);
        const wallMs = performance.now() - startMs;
        for (const ms of [ttft_ms, e2e_ms, encode_ms, ...gaps]) {
          assert.ok(ms >= 0 && ms <= wallMs, `${ms} ms`);
        }
        assert.ok(ttft_ms <= e2e_ms);
      });
    }));
});

Deno.test("How long a hub wants to be left alone is told by its own clock", async () => {
  const date = "Wed, 01 Jan 2020 00:00:00 GMT";
  const answer = (headers: Record<string, string>) => new Response(null, { status: 503, headers });
  const pauseOf = (headers: Record<string, string>): number | undefined => {
    try {
      assertOk(new URL("http://hub/x"), answer(headers));
    } catch (error) {
      assert.ok(error instanceof PassingError);
      return error.retryAfterMs;
    }
    throw new Error("unreachable");
  };
  await withRestlessClock(() => {
    assert.equal(pauseOf({ date, "retry-after": "Wed, 01 Jan 2020 00:00:30 GMT" }), 30_000);
    assert.equal(pauseOf({ date, "retry-after": "Tue, 31 Dec 2019 00:00:00 GMT" }), 0);
    assert.equal(pauseOf({ "retry-after": "7" }), 7000);
    assert.equal(pauseOf({ "retry-after": "Wed, 01 Jan 2020 00:00:30 GMT" }), undefined);
    return Promise.resolve();
  });
});

/** What looks at the system's clock, and how often: each to say when something was made. */
const STAMPS: Readonly<Record<string, number>> = {
  "cli/options/destination.ts": 1,
  "cli/commands/ladder.ts": 1,
  "cli/commands/load.ts": 1,
  "cli/commands/profile.ts": 1,
  "cli/commands/quality.ts": 1,
  "cli/commands/selftest.ts": 1,
  "cli/commands/serve_sim/serving_runner.ts": 1,
  "measure/record/new_result.ts": 1,
  "serve/api.ts": 1,
  "serve/completions.ts": 1,
};

Deno.test("Nothing but stamps looks at the system's clock: durations come from performance.now()", {
  ignore: !permitted("read"),
}, () => {
  const src = new URL("../src/", import.meta.url);
  const found = sourcesIn(src).flatMap((file) => {
    const looks = Deno.readTextFileSync(file).match(/\bDate\.now\b|\bnew Date\(\)/g) ?? [];
    return looks.length === 0 ? [] : [[file.pathname.slice(src.pathname.length), looks.length]];
  });
  assert.deepEqual(Object.fromEntries(found), STAMPS);
});
