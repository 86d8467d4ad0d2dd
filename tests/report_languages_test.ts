/**
 * The languages of reports: every text that the sources of reports say has a Chinese one, none is left over, and no
 * page of any kind shows English words in Chinese.
 */
import assert from "node:assert/strict";
import { CHINESE } from "../src/report/chinese/all.ts";
import { strategyOptions } from "../src/kv/registry.ts";
import { CLAIM_VERDICTS, CLAIMS } from "../src/measure/findings/claims.ts";
import { QUALITY_CLAIMS } from "../src/measure/findings/quality_claims.ts";
import { inEnglish } from "../src/report/lang.ts";
import type { QualityResult } from "../src/measure/quality/quality_result.ts";
import type { ScoredCell } from "../src/measure/quality/scored_cell.ts";
import type { BenchResult } from "../src/measure/record/result.ts";
import type { Reportable } from "../src/report/kinds.ts";
import { escapeHtml } from "../src/report/page/html.ts";
import { reportPage } from "../src/report/page/page.ts";
import type { PaperResult } from "../src/simulate/paper/paper_result.ts";
import { fixtureLadder } from "./fixtures/ladder.ts";
import { fixtureLoad } from "./fixtures/load.ts";
import { fixtureProfile } from "./fixtures/profile.ts";
import { fixtureResult } from "./fixtures/result.ts";
import { fixtureServing } from "./fixtures/serving.ts";
import { permitted } from "./permitted.ts";
import { sourcesIn } from "./sources.ts";

const ignore = !permitted("read");

/** Finds the templates that are said, nested ones too, as the tables of translations name them. */
function textsIn(source: string): string[] {
  const found: string[] = [];
  /** Reads a template from behind its backtick to behind its end. */
  const template = (from: number, said: boolean): number => {
    const texts = [""];
    let at = from;
    while (source[at] !== "`") {
      if (source.startsWith("${", at)) {
        at = code(at + 2, "}") + 1;
        texts.push("");
      } else {
        const length = source[at] === "\\" ? 2 : 1;
        texts[texts.length - 1] += source.slice(at, at + length);
        at += length;
      }
    }
    if (said) {
      const strings = Object.assign(texts, { raw: texts });
      found.push(inEnglish(strings, ...texts.slice(1).map((_, i) => `{${i}}`)));
    }
    return at + 1;
  };
  /** Reads code to `end` outside of its own braces. */
  const code = (from: number, end: string): number => {
    let at = from;
    for (let depth = 0; at < source.length; at++) {
      const rest = source.slice(at, at + 2), letter = source[at]!;
      if (depth === 0 && letter === end) return at;
      if (rest === "//") at = source.indexOf("\n", at);
      else if (rest === "/*") at = source.indexOf("*/", at) + 1;
      else if (`"'`.includes(letter)) {
        at += /^(["'])(?:(?!\1)[^\\]|\\.)*\1/.exec(source.slice(at))![0].length - 1;
      } else if (letter === "/" && /(?:[(=,:?]|return)\s*$/.test(source.slice(0, at))) {
        at += /^\/(?:[^/\\[]|\\.|\[(?:[^\]\\]|\\.)*\])+\//.exec(source.slice(at))![0].length - 1;
      } else if (letter === "`") {
        at = template(at + 1, /(?<![\w.])(?:t|inEnglish)$/.test(source.slice(0, at))) - 1;
      } else if (letter === "{") depth++;
      else if (letter === "}") depth--;
    }
    return at;
  };
  code(0, "");
  return found;
}

Deno.test(
  "Every text that the sources of reports say has a Chinese one with the same parts, and no other is there",
  {
    ignore,
  },
  async () => {
    const options = [...strategyOptions()].flatMap(([key, { label }]) => [key.replaceAll("_", " "), label]);
    const said = new Set<string>([
      ...[CLAIMS, QUALITY_CLAIMS, CLAIM_VERDICTS].flatMap((texts) => Object.values(texts)),
      ...options,
    ]);
    for (const script of sourcesIn(new URL("../src/report/", import.meta.url))) {
      for (const text of textsIn(await Deno.readTextFile(script))) said.add(text);
    }
    // What holds no words, such as a list of figures, may be the same in both languages.
    const hasWords = (text: string) => /[a-z]{2}/i.test(text.replaceAll(/\{\d+\}/g, ""));
    assert.deepEqual([...said].filter((text) => hasWords(text) && !CHINESE.has(text)), []);
    assert.deepEqual([...CHINESE.keys()].filter((text) => !said.has(text)), []);
    const partsOf = (text: string) => [...text.matchAll(/\{\d+\}/g)].map(([part]) => part).sort().join();
    for (const [text, chinese] of CHINESE) assert.equal(partsOf(chinese), partsOf(text), text);
  },
);

/** A cell that was scored, in a type of K and V. */
function scoredAs(dtype: string): ScoredCell {
  const of = (value: number) => ({ value, error: 0.01 });
  return {
    strategy: "window",
    settings: { ...RUN.cells[0]!.settings, kv_dtype: dtype, sinks: 4, window: 20 },
    kv_tokens: 14,
    kv_bytes: 8 * 14,
    divergence: {
      positions: 50,
      kld: { mean: of(0.1), median: 0.1, p95: 0.2, p99: 0.3, max: 0.4 },
      same_top: of(0.9),
      delta_p: { mean: of(0), rms: of(0) },
      perplexity: of(30),
      perplexity_ratio: of(1.1),
    },
  };
}

const RUN = fixtureResult({ grid: { prompt_tokens: [16, 200], batch: [1, 4], block_size: [8, 64] } });
const { environment, model, created, command } = RUN;

/** A benchmark with everything to say. */
function eventful(): BenchResult {
  const stored = { weights_bytes: 2 ** 20, kv_bytes_per_token: 8192 };
  const result = fixtureResult({
    strategies: ["no-cache", "kv-cache", "paged"],
    grid: { growth: ["dynamic"], new_tokens: [60] },
    stepMs: ({ strategy }, context) =>
      strategy === "paged" ? (context > 64 ? 13 : 10) : context === 50 ? 14 : 10,
  });
  result.cells[2]!.settings.kv_dtype = "f16";
  result.groups[0]!.stopped = "time";
  result.plan.target_ci = 1e-9;
  for (const cell of result.cells) cell.yardstick_ms = cell.yardstick_ms.map((_, i) => 5 + 3 * (i % 2));
  return {
    ...result,
    complete: false,
    environment: {
      ...environment,
      load_average: [9, 9, 9],
      adapter: { ...environment.adapter, backend: "gl" },
    },
    accuracy: [{
      weights_dtype: "int8",
      kv_dtype: "f32",
      positions: 50,
      greedy_equal: 48,
      max_logit_difference: 0.3541,
      stored,
      stored_f32: { weights_bytes: 2 ** 22, kv_bytes_per_token: 2 ** 14 },
    }],
    quality: [{ ...scoredAs("int8/f16"), strategy: "paged", settings: { ...result.cells[2]!.settings } }],
    sequences: {
      requests: 200,
      lengths: "sharegpt",
      budget_tokens: 4096,
      regions: { strategy: "kv-cache", mean: 4 },
      blocks: { strategy: "paged", mean: 13 },
    },
  };
}

/** Results of one plan that everything is to be said against. */
function rivals(): BenchResult[] {
  const noisy = structuredClone(RUN);
  for (const cell of noisy.cells) cell.yardstick_ms = cell.yardstick_ms.map((_, i) => 5 + 3 * (i % 2));
  const wrong = { ...RUN.self_check![0]!, verdict: "wrong" as const };
  const kernels_sha256 = "00".repeat(32);
  return [
    { ...noisy, self_check: null },
    { ...RUN, complete: false, self_check: [wrong], environment: { ...environment, kernels_sha256 } },
  ];
}

/** A quality record with a pair of types and recalls. */
function quality(): QualityResult {
  const recall = [{ positions: 9, accuracy: { value: 0.5, error: 0.1 }, gain: { value: 1, error: 0.1 } }];
  return {
    schema_version: 1,
    kind: "kvbench.quality",
    ...{ environment, model, created, command },
    text: { source: "tale.txt", tokens: 600, parts: 2, context: 300, prompt_tokens: 100 },
    reference_perplexity: { value: 20, error: 1 },
    cells: [scoredAs("int8/f16"), scoredAs("f16/int8")],
    retrieval: { seed: 1, distances: [64], reference: recall, cells: [recall, recall] },
  };
}

/** Every text of a record. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

Deno.test(
  "A page in Chinese of any kind has no English but names, and what its record says",
  { ignore },
  async () => {
    const serving = await fixtureServing();
    const paper: PaperResult = {
      ...serving,
      schema_version: 2,
      kind: "kvbench.paper",
      views: [{
        name: "waste",
        figure: "2",
        title: "Where memory goes",
        columns: ["a", "b", "c", "d", "e"].map((name) => ({ name, unit: "%" })),
        rows: [{ label: "max", here: [20, 30, 40, 6, 4], paper: [20.4, null, null, null, null] }],
        paper_says: "Much is lost",
        differences: ["another machine"],
      }],
    };
    const load = fixtureLoad();
    for (
      const results of [
        [RUN],
        [eventful()],
        rivals(),
        [fixtureResult({ runs: 1, grid: { new_tokens: [1] } })],
        [{ ...RUN, cells: [], groups: [], start: null }],
        [quality()],
        [fixtureProfile()],
        [fixtureLadder()],
        [serving],
        [paper],
        [{ ...load, interrupted: true }, load],
      ] satisfies Reportable[][]
    ) {
      const { kind } = results[0]!;
      const page = reportPage(results, { lang: "zh" });
      assert.match(page, /<html lang="zh">/);
      const figures = /<script type="application\/json" id="figures">(.*?)<\/script>/s.exec(page)![1]!;
      const drawn = JSON.stringify(
        JSON.parse(figures),
        (key, value) => ["id", "kind", "colour", "marks"].includes(key) ? undefined : value,
      );
      let text =
        page.replaceAll(/<(script|style|code)\b.*?<\/\1>/gs, " ").replaceAll(/aria-label="([^"]*)"/g, ">$1<")
          .replaceAll(/<[^>]*>/g, " | ") + drawn.replaceAll(/[^"]*":/g, "");
      const own = textsOf(results).filter((each) => /[a-z]{2}/i.test(each)).sort((a, b) =>
        b.length - a.length
      );
      for (const each of new Set([...own, ...own.map(escapeHtml)])) text = text.replaceAll(each, "·");
      const english = text.match(/[A-Za-z]{2,}[,;:]? [a-z]{2,}\b[^|"]{0,40}/g) ?? [];
      assert.deepEqual(english, [], kind);
    }
  },
);
