import assert from "node:assert/strict";
import { fixtureLadder } from "../../../tests/fixtures/ladder.ts";
import { type LadderResult, parseLadder } from "../ladder/ladder_result.ts";
import type { ClaimName, ClaimVerdict } from "./claims.ts";
import { ladderFindings } from "./ladder.ts";

function verdictOn(claim: ClaimName, result: LadderResult): ClaimVerdict {
  return ladderFindings(result).claims.find((each) => each.claim === claim)!.verdict;
}

Deno.test("The rungs multiply to the whole within its intervals, also on a machine that slows down by half", () => {
  for (const drift of [1, 1.06]) {
    for (const seed of [1, 2, 3]) {
      const { rungs, whole, product, agrees } = ladderFindings(fixtureLadder({ drift, seed }));
      const factors = rungs.flatMap(({ factor }) => factor === null ? [] : [factor.ratio]);
      assert.equal(factors.length, rungs.length - 1);
      const all = factors.reduce((a, b) => a * b);
      assert.ok(Math.abs(all / product.ratio - 1) < 1e-12);
      const [low, high] = product.interval!;
      assert.ok(low < product.ratio && product.ratio < high);
      assert.ok(low <= whole.ratio && whole.ratio <= high, `${whole.ratio} is not in ${low} to ${high}`);
      assert.ok(Math.abs(whole.ratio / (30 / 1.6) - 1) < 0.05);
      assert.equal(agrees, true);
    }
  }
});

Deno.test("A whole that is not the product of the rungs is told, and so are too few runs", () => {
  const result = fixtureLadder();
  const whole = result.turns.at(-1)!;
  whole.to_ms = whole.to_ms.map((ms) => 2 * ms);
  assert.equal(ladderFindings(result).agrees, false);
  assert.equal(ladderFindings(fixtureLadder({ runs: 2 })).agrees, null);
});

Deno.test("A rung's factor comes from its turns with the rung below, and is told from no difference", () => {
  const { rungs, paging, sequences } = ladderFindings(fixtureLadder());
  const verdicts = rungs.map(({ factor }) => factor?.verdict ?? null);
  assert.deepEqual(verdicts, [null, "faster", "faster", "faster", "faster", "no difference", "faster"]);
  assert.equal(paging, rungs[5]);
  assert.ok(Math.abs(paging.factor!.ratio - 4 / 4.02) < 0.02);
  assert.equal(sequences, 3.8);
  const slower = ladderFindings(fixtureLadder({ ms: { blocks: 6 } })).rungs[5]!.factor!;
  assert.equal(slower.verdict, "slower");
  assert.ok(slower.ratio < 0.7);
});

Deno.test("The textbook claims are tested on rungs that took turns", () => {
  const cases: [ClaimName, LadderResult, ClaimVerdict][] = [
    ["leastMemory", fixtureLadder(), "holds"],
    ["cacheMemory", fixtureLadder(), "does not hold"],
    ["cacheLatency", fixtureLadder(), "holds"],
    ["cacheLatency", fixtureLadder({ ms: { concatenate: 31 } }), "does not hold"],
    ["cacheLatency", fixtureLadder({ runs: 3 }), "not shown by this run"],
    ["pagedMemory", fixtureLadder(), "holds"],
    ["pagedLatency", fixtureLadder(), "does not hold"],
    ["pagedLatency", fixtureLadder({ ms: { blocks: 3 } }), "holds"],
    ["complexity", fixtureLadder(), "not shown by this run"],
  ];
  for (const [claim, result, verdict] of cases) assert.equal(verdictOn(claim, result), verdict, claim);
  const evidence =
    ladderFindings(fixtureLadder()).claims.find(({ claim }) => claim === "pagedLatency")!.evidence;
  assert.ok(evidence.kind === "time" && evidence.against.length === 1); // the rung below, which it took turns with
});

Deno.test("parseLadder() gives back what was written, and names what is wrong", () => {
  const result = fixtureLadder();
  assert.deepEqual(parseLadder(JSON.parse(JSON.stringify(result)), "l.json"), result);
  const lost = { ...result, turns: result.turns.slice(1) };
  assert.throws(
    () => parseLadder(lost, "l.json"),
    /^KvbenchError: Cannot read l\.json: turns is not valid: expected each rung/,
  );
  const uneven = structuredClone(result);
  uneven.turns[2]!.to_ms.pop();
  assert.throws(
    () => parseLadder(uneven, "l.json"),
    /turns\[2\] is not valid: expected 12 runs of each rung/,
  );
  assert.throws(
    () => parseLadder({ ...result, kind: "kvbench.bench" }, "l.json"),
    /of kind "kvbench\.bench"/,
  );
  assert.throws(
    () => parseLadder({ ...result, schema_version: 2 }, "l.json"),
    /schema_version is 2, this kvbench reads 1/,
  );
});
