import assert from "node:assert/strict";
import { fixtureResult } from "../../tests/fixtures/result.ts";
import { parseResult } from "../measure/record/result.ts";
import { formatResults, FORMATS } from "./formats.ts";
import { escapeMarkdown } from "./markdown.ts";
import { rowsOf } from "./rows.ts";

const SWEEP = fixtureResult({ grid: { batch: [1, 4], block_size: [8, 16] } });

/** Lines of RFC 4180 as fields. */
function parseCsv(text: string): string[][] {
  const fields = [...text.matchAll(/("(?:[^"]|"")*"|[^",\n]*)(,|\n|$)/g)];
  const lines: string[][] = [[]];
  for (const [, field = "", end] of fields) {
    lines.at(-1)!.push(field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field);
    if (end === "") break;
    if (end === "\n") lines.push([]);
  }
  return lines;
}

Deno.test("JSON gives the result back, and a list of several", () => {
  assert.deepEqual(parseResult(JSON.parse(formatResults([SWEEP], "json")), "json"), SWEEP);
  assert.equal(JSON.parse(formatResults([SWEEP, SWEEP], "json")).length, 2);
});

Deno.test("CSV has a line per cell with the figures of the JSON, whatever the names hold", () => {
  const result = structuredClone(SWEEP);
  result.model.name = 'a "quoted", name\nin two lines';
  const [head, ...lines] = parseCsv(formatResults([result], "csv"));
  assert.equal(lines.length, result.cells.length);
  const value = (line: string[], name: string) => line[head!.indexOf(name)];
  lines.forEach((line, i) => {
    const cell = result.cells[i]!;
    assert.equal(line.length, head!.length);
    assert.equal(value(line, "model"), result.model.name);
    assert.equal(value(line, "strategy"), cell.strategy);
    assert.equal(value(line, "block_size"), String(cell.settings.block_size ?? ""));
    assert.equal(Number(value(line, "tpot_ms_median")), cell.tpot_ms!.median);
    assert.equal(Number(value(line, "tpot_ms_median_ci_high")), cell.tpot_ms!.median_ci![1]);
    assert.equal(Number(value(line, "peak_bytes_total")), cell.memory.peak_bytes.total);
  });
});

Deno.test("JSON lines hold a cell each, with its raw samples", () => {
  const lines = formatResults([SWEEP, fixtureResult({ grid: { new_tokens: [1] } })], "jsonl").split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(lines.length, SWEEP.cells.length + 3);
  assert.deepEqual(lines[1].samples.tpot_ms, SWEEP.cells[1]!.tpot_ms!.samples);
  assert.equal(lines.at(-1).tpot_ms_median, null);
  assert.deepEqual(Object.keys(lines[0]).slice(0, -1), Object.keys(rowsOf(SWEEP)[0]!));
});

Deno.test("Markdown is a table that GitHub shows, with a column for each setting that varies", () => {
  const result = structuredClone(SWEEP);
  result.model.name = "a|b <script>";
  const lines = formatResults([result], "markdown").split("\n");
  assert.match(lines[0]!, /^\| model \| strategy \| test \| batch \| block size \| TTFT ms \| .* \|$/);
  const bars = (line: string) => line.replaceAll("\\|", "").split("|").length;
  for (const line of lines.slice(0, 2 + result.cells.length)) assert.equal(bars(line), bars(lines[1]!), line);
  assert.match(
    lines[2]!,
    /^\| a\\\|b &lt;script&gt; \| no-cache \| pp25\+tg50 \| 1 \| {2}\| \d+\.\d+ ± \d+\.\d+ \|/,
  );
  assert.doesNotMatch(lines.join("\n"), /<script>/);
});

Deno.test("escapeMarkdown() keeps text on one line and without meaning", () => {
  assert.equal(escapeMarkdown("a*b*\n`c` [d] & <e>"), "a\\*b\\* \\`c\\` \\[d\\] &amp; &lt;e&gt;");
});

Deno.test("Every form takes an unfinished result with nothing in it", () => {
  const empty = { ...SWEEP, complete: false, cells: [], groups: [] };
  for (const format of FORMATS) assert.equal(typeof formatResults([empty], format), "string");
});
