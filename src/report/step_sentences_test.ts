import assert from "node:assert/strict";
import { fixtureResult } from "../../tests/fixtures/result.ts";
import { stepSentences } from "./step_sentences.ts";

Deno.test("stepSentences() says steps with their causes, cells without any, and what tokens create", () => {
  const { cells } = fixtureResult({
    grid: { new_tokens: [60], growth: ["dynamic"] },
    stepMs: ({ strategy }, context) => strategy === "paged" && context > 64 ? 13 : 10,
  });
  const lines = stepSentences(cells, ({ strategy }) => strategy);
  assert.match(
    lines[0]!,
    /^Steps in latency by position of paged: \+\d\.\d+ ms \(\d+ %\) per token from context 65 on, where room for K\/V of 96\.0 KiB was added and attention went from 1 to 2 splits\.$/,
  );
  assert.equal(
    lines[1],
    "No step in latency by position stands out from the runs' noise: no-cache; kv-cache.",
  );
  assert.match(
    lines[2]!,
    /^Created on the GPU per token after the first: no-cache nothing; kv-cache 6\.00 buffers of \d+ KiB at each; paged nothing\.$/,
  );
});

Deno.test("stepSentences() says that few runs tell nothing, and nothing of records that do not tell", () => {
  const { cells } = fixtureResult({ runs: 2 });
  for (const { memory: { timeline } } of cells) timeline.created_bytes = null;
  assert.deepEqual(stepSentences(cells, ({ strategy }) => strategy), [
    "Steps in latency by position can't be told from noise with fewer than 3 runs or a dozen tokens.",
  ]);
});
