/**
 * The report page in a real browser, at the width of a desktop and of a phone, in light and dark: nothing is missing,
 * every chart is drawn, and every table says what the JSON says.
 */
import assert from "node:assert/strict";
import type { BenchResult } from "../src/measure/record/result.ts";
import { buildClient, CLIENT } from "../tools/page.ts";
import { reportPage } from "../src/report/page/page.ts";
import { inScratch } from "./cli_support.ts";
import { fixtureLadder } from "./fixtures/ladder.ts";
import { fixtureLoad } from "./fixtures/load.ts";
import { fixtureProfile } from "./fixtures/profile.ts";
import { fixtureResult } from "./fixtures/result.ts";
import { fixtureServing } from "./fixtures/serving.ts";
import { inBrowser } from "./in_browser.ts";
import { permitted } from "./permitted.ts";
import type { Visit } from "./visit_page.ts";

const ignore = !permitted("read", "write", "run", "env", "sys");

const GRID = { prompt_tokens: [16, 200], new_tokens: [20], batch: [1, 4], block_size: [8, 64] };
const RESULT = fixtureResult({ grid: GRID });
const LADDER = fixtureLadder();
RESULT.model.name = '</script><img src="x" onerror="throw 1">';

/** Rows of a table, numbers where they are numbers. */
function numbersIn(rows: readonly (readonly string[])[] | undefined): (string | number)[][] {
  return (rows ?? []).map((row) =>
    row.map((text) => {
      const number = Number(text.replaceAll(" ", ""));
      return Number.isNaN(number) ? text : number;
    })
  );
}

/** Checks rows against the JSON's; numbers are shown with seven digits at least. */
function assertRows(actual: (string | number)[][], expected: (string | number)[][], id: string): void {
  assert.equal(actual.length, expected.length, id);
  expected.forEach((row, i) =>
    row.forEach((value, column) => {
      const found = actual[i]![column]!;
      if (typeof value === "string" || value === 0) assert.equal(found, value, `${id}, row ${i}`);
      else assert.ok(Math.abs(Number(found) / value - 1) < 1e-6, `${id}, row ${i}: ${found}, not ${value}`);
    })
  );
}

/** The tables' rows, taken from the JSON directly. */
function expectedTables({ cells }: BenchResult): Record<string, (string | number)[][]> {
  const longest = cells.filter(({ settings }) => settings.prompt_tokens === 200 && settings.batch === 1);
  const shown = longest.filter(({ settings }) => settings.block_size !== 64);
  const swept = (prompts: number[], batches: number[]) =>
    shown.flatMap(({ strategy }) =>
      cells.filter(({ strategy: other, settings: { prompt_tokens, batch, block_size } }) =>
        other === strategy && prompts.includes(prompt_tokens) && batches.includes(batch) && block_size !== 64
      )
    );
  return {
    ...Object.fromEntries(
      ([["ttft", "ttft_ms"], ["tpot", "tpot_ms"], ["total", "e2e_ms"]] as const).map(([id, key]) => [
        `latency-${id}`,
        shown.map((cell) => {
          const { median, median_ci, samples } = cell[key]!;
          return [cell.strategy, median, ...median_ci!, samples.length];
        }),
      ]),
    ),
    "latency-per-token": [16, 200].flatMap((prompt) =>
      Array.from({ length: 19 }, (_, i) => [
        prompt + 1 + i,
        ...swept([prompt], [1]).map(({ itl_ms }) => itl_ms!.by_token[i]!),
      ])
    ),
    "created-per-token": Array.from({ length: 19 }, (_, i) => [
      201 + i,
      ...shown.flatMap(({ memory: { timeline: { created_bytes, created_buffers, splits } } }) =>
        [created_bytes, created_buffers, splits].map((list) => list![1 + i]!)
      ),
    ]),
    "peak-memory": shown.map(({ strategy, memory: { peak_bytes: peak } }) => [
      strategy,
      ...[peak.total, peak.weights, peak.activations, peak.kv, peak.tables, peak.staging],
    ]),
    "memory-timeline": Array.from({ length: 20 }, (_, i) => [
      i + 1,
      ...shown.map(({ memory }) => memory.timeline.total_bytes[i]!),
    ]),
    "itl-distribution": shown.map(({ strategy, itl_ms }) => {
      const { median, p90, p95, p99, max } = itl_ms!;
      return [strategy, median, p90, p95, p99, max];
    }),
    "prompt-sweep": swept([16, 200], [1]).map(({ strategy, settings, tpot_ms }) => [
      strategy,
      settings.prompt_tokens,
      tpot_ms!.median,
    ]),
    "batch-sweep": swept([200], [1, 4]).map(({ strategy, settings, decode_tokens_per_second: rate }) => [
      strategy,
      settings.batch,
      rate!,
    ]),
    "block-size-sweep": longest.filter(({ strategy }) => strategy === "paged")
      .map(({ settings, memory: { timeline }, tpot_ms }) => {
        const sum = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
        const wasted = sum(timeline.kv_for_later_bytes) + sum(timeline.kv_internal_bytes) +
          sum(timeline.kv_external_bytes);
        const reserved = sum(timeline.kv_used_bytes) + sum(timeline.kv_for_later_bytes) +
          sum(timeline.kv_internal_bytes);
        return [settings.block_size!, 100 * wasted / reserved, tpot_ms!.median];
      }),
  };
}

/** The page in English of a benchmark and a profile, and that in Chinese of the other kinds, in one browser. */
const visits = ignore ? undefined : inScratch(async (folder) => {
  const pages = {
    english: reportPage([RESULT, fixtureProfile()]),
    chinese: reportPage([LADDER, await fixtureServing(), fixtureLoad(), fixtureLoad({ tpotMs: 20 })], {
      lang: "zh",
    }),
  };
  const paths = Object.keys(pages).map((name) => `${folder}/${name}.html`);
  for (const [i, text] of Object.values(pages).entries()) await Deno.writeTextFile(paths[i]!, text);
  const [english, chinese] = await inBrowser<Visit[]>("visit_page.ts", paths);
  return { english: english!, chinese: chinese! };
});
visits?.catch(() => {}); // told to the tests, which await it

/** Checks what holds for every page. */
function assertShown({ views, opened }: Visit, charts: number): void {
  assert.deepEqual(views.map(({ width, scheme }) => [width, scheme]), [[1280, "light"], [390, "dark"]]);
  for (const { width, canvases, messages, empty, fits, inaccessible } of views) {
    assert.deepEqual(messages, []);
    assert.equal(canvases, charts);
    assert.deepEqual(empty, [], `at ${width} pixels`);
    assert.ok(fits, `wider than ${width} pixels`);
    assert.deepEqual(inaccessible, [], `at ${width} pixels`);
  }
  assert.ok(opened, "the keyboard opens no table");
}

Deno.test(
  "The report page works offline in a browser, on a desktop in light and on a phone in dark, for everybody",
  {
    ignore,
  },
  async () => {
    const { english } = (await visits)!, { views, tables } = english;
    assertShown(english, 14);
    assert.ok(views.every(({ hasColour }) => hasColour), "a line is not in its scheme's colour");
    assert.ok(english.followed, "the colours don't follow the system's");
    for (const [id, rows] of Object.entries(expectedTables(RESULT))) {
      assertRows(numbersIn(tables[`table-r1-${id}`]), rows, id);
    }
    const roofline = fixtureProfile().kernels.map(({ kernel, dispatches, ms, bytes, operations }) => [
      ...["decode", kernel],
      ...[dispatches, ms, bytes, operations],
    ]);
    assertRows(numbersIn(tables["table-r2-roofline"]).slice(-roofline.length), roofline, "roofline");
  },
);

Deno.test(
  "A page of a ladder, a simulation and load tests works offline in Chinese",
  { ignore },
  async () => {
    const { chinese } = (await visits)!;
    assertShown(chinese, 15);
    const rows = numbersIn(chinese.tables["table-r1-ladder"]);
    assert.deepEqual(rows.map(([label]) => parseInt(String(label))), [1, 2, 3, 4, 5, 6, 7]);
    const { from_ms } = LADDER.turns[0]!, times = [...from_ms, ...LADDER.turns.at(-1)!.from_ms];
    assert.ok(times.some((ms) => ms <= Number(rows[0]![2])) && times.some((ms) => ms >= Number(rows[0]![2])));
  },
);

Deno.test(
  "The page's script is what deno task page makes of its source and of Chart.js",
  { ignore },
  async () => {
    assert.equal(await Deno.readTextFile(CLIENT), await buildClient(), "run deno task page");
  },
);
