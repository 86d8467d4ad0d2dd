import assert from "node:assert/strict";
import { fixtureResult } from "../../tests/fixtures/result.ts";
import { compareResults } from "../measure/findings/compare.ts";
import type { BenchResult } from "../measure/record/result.ts";
import { compareMarkdown, compareNotes, compareTable } from "./compare_table.ts";

/** Notes on the fixture and a changed copy of it. */
function notes(change: (after: BenchResult) => void): string {
  const after = fixtureResult({ runs: 12, seed: 9 });
  change(after);
  return compareNotes(compareResults(fixtureResult({ runs: 12 }), after, 0.05), 0.05).join("\n");
}

Deno.test("compareTable() has a row per cell and time within 80 columns, and a sum of it below", () => {
  const slow = fixtureResult({
    stepMs: ({ strategy }, context) => strategy === "paged" ? 8 : 4 + context / 100,
  });
  const fast = fixtureResult({ stepMs: (_, context) => 4 + context / 100, seed: 7 });
  const text = compareTable(compareResults(fast, slow, 0.05), 0.05);
  for (const line of text.split("\n")) assert.ok([...line].length <= 80, line);
  assert.match(
    text,
    /\npaged\n .*\n TPOT +4\.\d+ ms +[78]\.\d+ ms +1\.\d+ \(1\.\d+–\d\.\d+\) .* slower/,
  );
  assert.match(text, /Beyond 5\.0 %: 2 slower, 0 faster\./);
  const markdown = compareMarkdown(compareResults(slow, fast, 0.05), 0.05);
  assert.match(
    markdown,
    /^\| cell \| time \| before \| after \| ratio \(95 % interval\) \| p \| verdict \|\n\| ---/,
  );
  assert.match(markdown, /\n- Beyond 5\.0 %: 0 slower, 2 faster\./);
});

Deno.test("compareNotes() tells of everything that is not the same", () => {
  assert.equal(notes(() => {}), "No difference of more than 5.0 % is shown.");
  assert.match(
    notes(({ cells }) => cells[0]!.memory.peak_bytes.total *= 2),
    /^no-cache: peak memory .* \(× 2\.00\)/m,
  );
  assert.match(notes(({ cells }) => cells[2]!.token_ids[0]![0]! += 1), /^paged: the generated tokens/m);
  assert.match(notes(({ cells }) => cells.pop()), /^Only before: paged\.$/m);
  assert.match(
    notes(({ environment }) => environment.deno = "3.0.0\u001b[31m"),
    /Deno: 2\.9\.6 before, 3\.0\.0 \[31m after/,
  );
  assert.match(
    notes(({ cells }) =>
      cells.forEach((cell) => cell.yardstick_ms = cell.yardstick_ms.map((ms) => ms * 1.5))
    ),
    /by the yardstick, the machine took 1\.\d+ × as long/,
  );
});

Deno.test("compareNotes() says that too few runs tell nothing, and that wide intervals tell little", () => {
  const few = compareResults(fixtureResult({ runs: 3 }), fixtureResult({ runs: 3, seed: 2 }), 0.05);
  assert.match(compareNotes(few, 0.05).join("\n"), /Too few runs for a verdict in 3 of 3 cells/);
  const close = compareResults(fixtureResult(), fixtureResult({ seed: 2 }), 0.001);
  assert.match(compareNotes(close, 0.001).join("\n"), /Differences below \d.* % may go unseen/);
});
