import assert from "node:assert/strict";
import { fixtureProfile } from "../../../tests/fixtures/profile.ts";
import { fixtureResult } from "../../../tests/fixtures/result.ts";
import { escapeHtml, html, jsonScript } from "./html.ts";
import { reportPage } from "./page.ts";
import { exactText } from "./sections.ts";

const HOSTILE = "</script><img src=x onerror=\"alert('1')\">\u202e&amp;\u0007";

Deno.test("html`` escapes text and keeps markup", () => {
  assert.equal(
    html`<p title="${'"'}">${["<", html`<b>${1}</b>`]}</p>`.markup,
    '<p title="&quot;">&lt;<b>1</b></p>',
  );
  assert.equal(escapeHtml("'\u0000\u2066a\n"), "&#39;\ufffd\ufffda\n");
  assert.doesNotMatch(jsonScript("x", "</script><!--").markup.slice(30, -9), /</);
});

Deno.test("reportPage() escapes everything that a result's names may hold", () => {
  const result = fixtureResult();
  result.model.name = HOSTILE;
  result.environment.adapter.description = HOSTILE;
  result.environment.cpu.model = HOSTILE;
  result.environment.tuning = { [HOSTILE]: HOSTILE };
  result.command = ["bench", HOSTILE];
  result.cells.forEach((cell) => cell.texts = [HOSTILE]);
  const page = reportPage([result]);
  assert.doesNotMatch(page, /<img/);
  for (const control of ["\u202e", "\u0007"]) assert.equal(page.includes(control), false);
  assert.equal(page.match(/<script/g)!.length, 2);
  assert.equal(page.match(/<\/script/g)!.length, 2);
});

Deno.test("reportPage() brings everything along and forbids the rest", () => {
  const page = reportPage([fixtureResult()]);
  assert.match(
    page,
    /Content-Security-Policy" content="default-src &#39;none&#39;; img-src data:; style-src &#39;sha256-/,
  );
  assert.doesNotMatch(page.replace(/<script>[^]*<\/script>/, ""), /(src|href)="(?!data:)/);
  assert.match(page, /<table class="claims">/);
});

Deno.test("reportPage() has a canvas with a description and a table for each chart, all with ids of their own", () => {
  const page = reportPage([fixtureResult(), fixtureProfile(), fixtureResult({ runs: 1 })]);
  const ids = [...page.replace(/<script>[^]*<\/script>/, "").matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
  const charts = [...page.matchAll(/<canvas\s+id="chart-([^"]+)"\s+role="img"\s+aria-label="Chart: [^"]+"/g)]
    .map(([, id]) => id!);
  assert.ok(charts.includes("r1-latency-per-token") && charts.includes("r2-roofline"));
  for (const id of charts) assert.ok(ids.includes(`table-${id}`), id);
  const figures = JSON.parse(page.match(/id="figures">([^<]*)</)![1]!);
  assert.deepEqual(figures.map(({ id }: { id: string }) => id).toSorted(), charts.toSorted());
});

Deno.test("reportPage() shows a result with nothing in it", () => {
  assert.match(reportPage([{ ...fixtureResult(), cells: [], groups: [] }]), /Nothing is measured yet/);
});

Deno.test("exactText() keeps a number's digits and nothing that binary fractions add", () => {
  assert.deepEqual([12.3456, 0.1 + 0.2, 31015424, null, "x"].map(exactText), [
    "12.3456",
    "0.3",
    "31 015 424",
    "–",
    "x",
  ]);
});

Deno.test("reportPage() opens with three numbers, each above its chart", () => {
  const sequences = {
    requests: 200,
    lengths: "sharegpt",
    budget_tokens: 4096,
    regions: { strategy: "kv-cache", mean: 4 },
    blocks: { strategy: "paged", mean: 13 },
  };
  const page = reportPage([{ ...fixtureResult(), sequences }]);
  const [answer = ""] = page.split("<h3>All cells</h3>");
  const numbers = [...answer.matchAll(/<strong>(.*?)<\/strong>/g)].map(([, number]) => number);
  assert.equal(numbers.length, 3);
  assert.match(numbers[0]!, /^[\d.]+ ×$/);
  assert.match(numbers[1]!, /^\+[\d.]+ MiB$/);
  assert.equal(numbers[2], "3.25 ×");
  for (const id of ["latency-tpot", "peak-memory-without-weights", "sequences-at-once"]) {
    assert.equal(page.split(`id="chart-${id}"`).length, 2, `${id} stands once`);
    assert.ok(answer.includes(`id="chart-${id}"`), `${id} stands in the answer`);
  }
});
