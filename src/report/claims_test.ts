import assert from "node:assert/strict";
import { fixtureResult } from "../../tests/fixtures/result.ts";
import { claimLines } from "./claims.ts";
import { sentences } from "./sentences.ts";

const said = (options: Parameters<typeof fixtureResult>[0]) => claimLines(fixtureResult(options)).join("\n");

Deno.test("claimLines() gives each claim a verdict and its figures", () => {
  const text = said({ runs: 12 });
  assert.match(
    text,
    /^Do the textbook claims hold\?\n- HOLDS: Without a cache, memory is least \(peak 32\.\d MiB with /,
  );
  assert.match(
    text,
    /- HOLDS: A cache makes latency clearly lower \(total 2\d\d ms with kv-cache against 1\d{3} ms with /,
  );
  assert.match(
    text,
    /- DOES NOT HOLD: Paging has the lowest latency \(total .* a ratio of 0\.99\d \(0\.9\d\d–1\.0/,
  );
  assert.match(
    text,
    /- HOLDS: A cache brings .* \(a token takes n\^0\.8\d \(0\.8\d–0\.8\d\) without a cache and n\^0\.0\d \(.*from n = 26 to 74\)/,
  );
  assert.match(text, /\nTested on prompt 25, 50 new, batch 1, K\/V f32\. .* serve-sim shows it\.$/);
});

Deno.test("claimLines() says why a run does not show a claim, and what would", () => {
  assert.match(
    said({ strategies: ["kv-cache"] }),
    /NOT SHOWN BY THIS RUN: .* least \(no-cache did not run\)/,
  );
  assert.match(said({ runs: 2 }), /NOT SHOWN BY THIS RUN: A cache makes .*: too few runs to tell\)/);
  assert.match(
    said({ grid: { prompt_tokens: [300] } }),
    /NOT SHOWN .* too close: expected .* --sweep prompt-tokens=/,
  );
  assert.match(said({ stepMs: () => 5 }), /NOT SHOWN .*: fixed costs may hide the growth/);
  assert.doesNotMatch(said({ strategies: ["kv-cache"] }), /serve-sim/);
  assert.deepEqual(claimLines({ ...fixtureResult(), cells: [] }), []);
});

Deno.test("A sweep is summed up in a sentence for each setting", () => {
  const grid = { prompt_tokens: [16, 256], batch: [1, 4], block_size: [16, 256] };
  const text = sentences(fixtureResult({ grid })).join("\n");
  assert.match(
    text,
    /^kv-cache, prompt 256, batch 1 decodes .* faster per token than no-cache, prompt 256, batch 1 /,
  );
  assert.match(
    text,
    /^Longer prompts \(16 → 256\): no-cache goes from [\d.]+ ms to [\d.]+ ms per token \(× [\d.]+\); kv-cache goes /m,
  );
  assert.match(
    text,
    /^Larger batches \(1 → 4\): .*; paged goes from [\d.]+ to [\d.]+ tokens\/s \(× [\d.]+\)\.$/m,
  );
  assert.match(
    text,
    /^Larger blocks \(16 → 256\): paged goes from [\d.]+ % to [\d.]+ % of reserved K\/V unused\.$/m,
  );
});
