import assert from "node:assert/strict";
import { keptCosts } from "./costs.ts";
import { entriesOf, type KeptRule, slotsOf, storedOf } from "./rule.ts";

/** gpt2 in float32. */
const SIZES = { nLayer: 12, nHead: 12, headDim: 64, rowBytes: 2 * 768 * 4 };
const SNAP: KeptRule = { recent: 2, heavy: 3, observed: 2, pool: 5, everyStep: false };
const HEAVY: KeptRule = { recent: 128, heavy: 128, observed: Infinity, pool: 1, everyStep: true };

/** Tiles of one sequence. */
function batch(...tiles: readonly (readonly [rows: number, first: number])[]) {
  const prefill = tiles.filter(([rows]) => rows > 1).length;
  return {
    nRows: tiles.reduce((sum, [rows]) => sum + rows, 0),
    nPrefillTiles: prefill,
    nDecodeTiles: tiles.length - prefill,
    rows: new Uint32Array(),
    tiles: Uint32Array.from(tiles.flatMap(([rows, first]) => [0, rows, 0, first])),
  };
}

Deno.test("keptCosts() of a row behind 256 kept tokens are what pencil and paper give", () => {
  const costs = keptCosts(batch([1, 900]), HEAVY, { progress: () => ({ promptTokens: 900 }) }, SIZES);
  assert.deepEqual(costs, {
    // Per layer: the query, K of 257 entries, and of each head and entry a position and a score that is read and written.
    "kept step": {
      bytes: 12 * (4 * 768 + 257 * 4 * 768 + 257 * 12 * 12),
      macs: 12 * 257 * (768 + 12),
    },
    // The free entries, K and V of the row, and what is stored of them.
    "kept move": { bytes: 12 * (4 * 12 + 8 * 768 + 8 * 768), macs: 0 },
  });
});

Deno.test("keptCosts() of a prompt count the pairs of observed rows and the tokens up to them, twice", () => {
  const prompts = { progress: () => ({ promptTokens: 10 }) };
  const costs = keptCosts(batch([8, 0], [2, 8]), SNAP, prompts, SIZES), pairs = 9 + 10;
  assert.deepEqual(costs["kept norms"], {
    bytes: 12 * (2 * 4 * 768 + 10 * 4 * 768 + 2 * 8 * 12),
    macs: 12 * 768 * pairs,
  });
  assert.equal(costs["kept scores"]!.macs, 12 * (768 + 12) * pairs);
  // Eight tokens are averaged with four others; five stay.
  assert.deepEqual(costs["kept choice"], { bytes: 12 * 12 * (4 * 10 + 12 * 5), macs: 12 * 12 * 5 * 8 });
  assert.equal(costs["kept store"]!.bytes, 12 * 5 * (8 * 768 + 4 * 12 + 8 * 768));
  assert.equal(costs["kept step"], undefined);
});

Deno.test("keptCosts() of a prompt that stays whole have no scores, unless later rows need them", () => {
  const prompts = { progress: () => ({ promptTokens: 4 }) };
  assert.deepEqual(Object.keys(keptCosts(batch([4, 0]), SNAP, prompts, SIZES)), [
    "kept choice",
    "kept store",
  ]);
  assert.ok("kept scores" in keptCosts(batch([4, 0]), HEAVY, prompts, SIZES));
  assert.deepEqual(keptCosts(batch([1, 4]), SNAP, prompts, SIZES), {});
});

Deno.test("Rules say what is stored, gone through and needed, before and behind the prompt's end", () => {
  const of = (rule: KeptRule, prompt: number, length: number) => [
    storedOf(rule, prompt, length),
    entriesOf(rule, prompt, length),
    slotsOf(rule, prompt, length),
  ];
  assert.deepEqual(of(SNAP, 10, 7), [5, 7, 5]);
  assert.deepEqual(of(SNAP, 10, 10), [5, 10, 5]);
  assert.deepEqual(of(SNAP, 10, 13), [8, 8, 8]);
  assert.deepEqual(of(SNAP, 3, 13), [13, 13, 13]);
  const every = { ...SNAP, everyStep: true };
  assert.deepEqual(of(every, 10, 10), [5, 10, 6]);
  assert.deepEqual(of(every, 10, 13), [5, 6, 6]);
  assert.deepEqual(of(every, 3, 4), [4, 4, 4]);
});
