import assert from "node:assert/strict";
import { fixtureLadder } from "../../../tests/fixtures/ladder.ts";
import { ladderFigure } from "../figures/ladder.ts";
import { reportPage } from "../page/page.ts";
import { columnsOf } from "../wrap.ts";
import { LANGS } from "../lang.ts";
import { ladderTable } from "./table.ts";

for (const lang of LANGS) {
  Deno.test(`A ladder's table fits 80 columns and answers in its first sentence (${lang})`, () => {
    const text = ladderTable(fixtureLadder(), lang);
    for (const line of text.split("\n")) assert.ok(columnsOf(line) <= 80, line);
    assert.match(text, /0\.99 × \(0\.98–1\.01\)/);
    assert.match(text, /3\.80 ×/);
    assert.doesNotMatch(text, /undefined|NaN|\[object/);
  });

  Deno.test(`A ladder's page is in its language, with a chart and both tables (${lang})`, () => {
    const page = reportPage([fixtureLadder()], { lang });
    assert.ok(page.includes(`<html lang="${lang}">`));
    assert.ok(
      page.includes(
        lang === "zh" ? "<h1>从笔记本里的循环到推理引擎</h1>" : "<h1>From a notebook&#39;s loop to ",
      ),
    );
    assert.ok(page.includes('<canvas id="chart-ladder"'));
    for (const figure of ["11.1", "413.98"]) assert.ok(page.includes(figure));
    assert.equal(page.match(/class="verdict /g)?.length, 6);
    assert.doesNotMatch(page.slice(0, page.indexOf("<script")), /undefined|NaN/);
  });
}

Deno.test("Words go into lines of 80 columns with wide characters, and no line begins with their punctuation", () => {
  const text = ladderTable(fixtureLadder(), "zh");
  for (const line of text.split("\n")) assert.doesNotMatch(line, /^[，。：；、）”]/);
});

Deno.test("The waterfall's parts add up: what a rung takes and gains is what the one before takes", () => {
  const figure = ladderFigure(fixtureLadder({ ms: { blocks: 5 } }));
  const [time, gained, lost] = figure.series.map(({ values }) => values as number[]);
  const whole = figure.table.rows.map((row) => row[2] as number);
  whole.forEach((ms, i) => {
    assert.ok(Math.abs(time![i]! + lost![i]! - ms) < 1e-9);
    if (i > 0) assert.ok(Math.abs(time![i]! + gained![i]! - whole[i - 1]!) < 1e-9);
  });
  assert.ok(lost![5]! > 0 && gained![5] === 0);
  assert.equal(figure.x.log, false);
  assert.equal(figure.x.min, 0);
  assert.equal(ladderFigure(fixtureLadder({ ms: { blocks: 3.9 } })).series.length, 2, "nothing is lost");
});

Deno.test("Where few runs tell nothing, the table says so", () => {
  const text = ladderTable(fixtureLadder({ runs: 2 }));
  assert.match(text, /too few runs to tell whether they agree/);
  assert.match(text, /No rung is shown to be faster/);
});
