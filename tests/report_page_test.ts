/**
 * The report page in a real browser, at the width of a desktop and of a phone, in light and dark: nothing is missing,
 * every chart is drawn, and every table says what the JSON says.
 *
 * @module
 */
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { findBrowser } from "../src/cli/setup.ts";
import type { BenchResult } from "../src/measure/result.ts";
import { buildClient, CLIENT } from "../src/report/page/build.ts";
import { reportPage } from "../src/report/page/page.ts";
import { inScratch } from "./cli_support.ts";
import { fixtureProfile } from "./fixtures/profile.ts";
import { fixtureResult } from "./fixtures/result.ts";
import { permitted } from "./permitted.ts";

const ignore = !permitted("read", "write", "run", "env", "sys");

const GRID = { prompt_tokens: [16, 200], new_tokens: [20], batch: [1, 4], block_size: [8, 64] };
const RESULT = fixtureResult({ grid: GRID });
RESULT.model.name = '</script><img src="x" onerror="throw 1">';

/** Opens a browser for the time of a test. */
async function inBrowser(test: (browser: Browser) => Promise<void>): Promise<void> {
  const executablePath = findBrowser();
  assert.ok(executablePath, "There is no browser to open the report in: run deno task setup:test");
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath });
  try {
    await test(browser);
  } finally {
    await browser.close();
  }
}

/** Ids of charts in which nothing is drawn: a single colour, or none, in more than 99.9 % of their pixels. */
const EMPTY_CHARTS = `[...document.querySelectorAll("canvas")].filter((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const counts = new Map();
  for (const pixel of new Uint32Array(data.buffer)) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  return canvas.width < 200 || canvas.height < 100 || Math.max(...counts.values()) > 0.999 * data.length / 4;
}).map(({ id }) => id)`;

/** Colours of a strategy's line that stand in the first chart. */
const hasColour = (hex: string) =>
  `(() => {
  const canvas = document.querySelector("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const [r, g, b] = [1, 3, 5].map((i) => parseInt("${hex}".slice(i, i + 2), 16));
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] === r && data[i + 1] === g && data[i + 2] === b && data[i + 3] === 255) return true;
  }
  return false;
})()`;

/** Rows of a table, numbers where they are numbers. */
async function tableOf(page: Page, id: string): Promise<(string | number)[][]> {
  const rows: string[][] = await page.evaluate(
    `[...document.getElementById(${JSON.stringify(id)}).tBodies[0].rows].map((row) =>
      [...row.cells].map((cell) => cell.textContent))`,
  );
  return rows.map((row) =>
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
    latency: shown.flatMap(({ strategy, ttft_ms, tpot_ms, e2e_ms }) =>
      ([["TTFT", ttft_ms], ["TPOT", tpot_ms!], ["total (E2E)", e2e_ms]] as const).map(([name, summary]) => [
        strategy,
        name,
        summary.median,
        ...summary.median_ci!,
        summary.samples.length,
      ])
    ),
    "latency-per-token": [16, 200].flatMap((prompt) =>
      Array.from({ length: 19 }, (_, i) => [
        prompt + 1 + i,
        ...swept([prompt], [1]).map(({ itl_ms }) => itl_ms!.by_token[i]!),
      ])
    ),
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

Deno.test("The report page works offline in a browser, on a desktop in light and on a phone in dark", {
  ignore,
}, async () => {
  await inScratch(async (folder) => {
    const path = `${folder}/report.html`;
    await Deno.writeTextFile(path, reportPage([RESULT, fixtureProfile()]));
    await inBrowser(async (browser) => {
      const views = [
        { viewport: { width: 1280, height: 900 }, colorScheme: "light", colour: "#D55E00" },
        {
          viewport: { width: 390, height: 844 },
          colorScheme: "dark",
          colour: "#FF8C42",
          deviceScaleFactor: 2,
        },
      ] as const;
      for (const { colour, ...view } of views) {
        const context = await browser.newContext({ ...view, offline: true });
        const page = await context.newPage();
        const wrong: string[] = [];
        page.on("console", (message) => wrong.push(message.text()));
        page.on("pageerror", (error) => wrong.push(String(error)));
        page.on("requestfailed", (request) => wrong.push(request.url()));
        await page.goto(pathToFileURL(path).href);
        assert.deepEqual(wrong, []); // before the pixels are read, which Chromium has a warning about
        assert.deepEqual(await page.evaluate(EMPTY_CHARTS), []);
        assert.equal(await page.evaluate('document.querySelectorAll("canvas").length'), 11);
        assert.ok(await page.evaluate(hasColour(colour)), `no line in ${colour}`);
        assert.ok(
          await page.evaluate("document.documentElement.scrollWidth <= innerWidth"),
          `wider than ${view.viewport.width} pixels`,
        );
        await context.close();
      }

      const page = await browser.newPage();
      await page.goto(pathToFileURL(path).href);
      for (const [id, rows] of Object.entries(expectedTables(RESULT))) {
        assertRows(await tableOf(page, `table-r1-${id}`), rows, id);
      }
      const roofline = fixtureProfile().kernels.map(({ kernel, dispatches, ms, bytes, operations }) => [
        ...["decode", kernel],
        ...[dispatches, ms, bytes, operations],
      ]);
      assertRows((await tableOf(page, "table-r2-roofline")).slice(-roofline.length), roofline, "roofline");

      // A table opens with the keyboard alone.
      await page.evaluate('document.querySelector("summary").focus()');
      await page.keyboard.press("Enter");
      assert.equal(await page.evaluate('document.querySelector("details").open'), true);
      // The colours follow the system's while the page is open.
      await page.emulateMedia({ colorScheme: "dark" });
      await page.waitForFunction(hasColour("#FF8C42"));
    });
  });
});

Deno.test(
  "The page's script is what deno task page makes of its source and of Chart.js",
  { ignore },
  async () => {
    assert.equal(await Deno.readTextFile(CLIENT), await buildClient(), "run deno task page");
  },
);
