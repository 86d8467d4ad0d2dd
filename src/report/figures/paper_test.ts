import assert from "node:assert/strict";
import type { PaperResult, View } from "../../simulate/paper/paper_result.ts";
import type { BarFigure, LineFigure } from "./figure.ts";
import { paperFigures } from "./paper.ts";

function view(changes: Partial<View>): View {
  return {
    name: "waste",
    figure: "2",
    title: "What it is",
    columns: ["token states", "reserved", "internal", "external", "free"].map((name) => ({
      name,
      unit: "%",
    })),
    rows: [{ label: "max", here: [20, 30, 40, 6, 4], paper: [20.4, null, null, null, null] }],
    paper_says: null,
    differences: ["it is another machine"],
    ...changes,
  };
}

/** Of a result, figures are made from the views alone. */
const figures = (...views: View[]) => paperFigures({ views } as PaperResult);

Deno.test("paperFigures() stacks what memory holds, and says what the paper found", () => {
  const [figure, ...others] = figures(view({})) as [BarFigure];
  assert.deepEqual(others, []);
  assert.ok(figure.stacked);
  assert.deepEqual(figure.series.map(({ values }) => values), [[20], [30], [40], [6], [4]]);
  assert.deepEqual(figure.ends, ["20.0 % used, paper 20.4 %"]);
  assert.match(figure.caption, /^Unlike the paper: it is another machine\.$/);
  assert.deepEqual(figure.table.rows, [["max", 20, 30, 40, 6, 4, 20.4, null, null, null, null]]);
});

Deno.test("paperFigures() draws a chart per data set, policies below each other", () => {
  const batch = view({
    name: "batch",
    columns: ["max", "paged"].map((name) => ({ name, unit: "sequences" })),
    rows: [
      { label: "ShareGPT", here: [7, 30], paper: [6, 31] },
      { label: "Alpaca", here: [8, 100], paper: [7, null] },
    ],
  });
  const [first, second] = figures(batch) as [BarFigure, BarFigure];
  assert.deepEqual([first.id, second.id], ["batch-sharegpt", "batch-alpaca"]);
  assert.deepEqual(first.categories, ["max", "paged"]);
  assert.deepEqual(first.series.map(({ values }) => values), [[7, 30], [6, 31]]);
  assert.deepEqual(second.series.map(({ values }) => values), [[8, 100], [7, null]]);
  assert.deepEqual(second.series[1]!.labels, ["7.00", ""]);
});

Deno.test("paperFigures() draws block sizes on an axis of doublings, and the text that has no figures", () => {
  const rows = [1, 16].map((size) => ({
    label: `${size} tokens`,
    here: [size, 2, 99, 98],
    paper: [null, null, null, null],
  }));
  const columns = ["a", "b", "c", "d"].map((name, i) => ({ name, unit: i < 2 ? "tokens/s" : "%" }));
  const [a, b] = figures(
    view({ name: "block-size", columns, rows, paper_says: "16 is best" }),
  ) as LineFigure[];
  assert.deepEqual(a!.series.map(({ points }) => points), [[[1, 1], [16, 16]], [[1, 99], [16, 99]]]);
  assert.deepEqual(b!.series.map(({ points }) => points), [[[1, 2], [16, 2]], [[1, 98], [16, 98]]]);
  assert.deepEqual([a!.x.log, a!.x.ticks], [true, [1, 16]]);
  assert.match(a!.caption, /^The paper: 16 is best\. Unlike/);
  assert.equal(a!.table.head.length, 5);
  const [preemption] = figures(view({ name: "preemption", columns, rows })) as LineFigure[];
  assert.deepEqual(preemption!.series.map(({ name }) => name), ["recompute", "swap"]);
});
