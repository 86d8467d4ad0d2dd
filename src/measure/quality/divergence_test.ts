import assert from "node:assert/strict";
import { seededRandom } from "../../base/random.ts";
import { divergenceOf, referenceRow } from "./divergence.ts";
import { referencePerplexity, summariseDivergence } from "./divergence_summary.ts";

function near(actual: number | null, expected: number, tolerance = 1e-12): void {
  assert.ok(actual !== null && Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
}

Deno.test("divergenceOf() gives the figures of a case that is computed by hand", () => {
  // p = (1/2, 1/4, 1/4) and q = (1/4, 1/2, 1/4): KLD = 1/2 ln 2 - 1/4 ln 2, and logits may have any offset.
  const p = new Float32Array([Math.log(2), 0, 0]), q = new Float32Array([0, Math.log(2), 0]);
  const found = divergenceOf(referenceRow(p.map((x) => x + 7)), q, 1);
  near(found.kld, Math.log(2) / 4, 1e-6);
  near(found.deltaP, 1 / 4, 1e-6);
  near(found.nll, Math.log(2), 1e-6);
  near(found.referenceNll, Math.log(4), 1e-6);
  assert.deepEqual([found.sameTop, found.hit], [false, true]);
  assert.equal(divergenceOf(referenceRow(p), p, 0).sameTop, true);
});

Deno.test("divergenceOf() of a row from itself is 0, with logits of any size", () => {
  for (const scale of [1e-3, 1, 80, 1e30]) {
    const row = Float32Array.from({ length: 1000 }, (_, i) => scale * Math.sin(i * i));
    assert.equal(divergenceOf(referenceRow(row), row, 5).kld, 0);
  }
});

Deno.test("Divergences and their statistics are those of the formulas, written out in float64", () => {
  const random = seededRandom(3), vocab = 97, n = 211;
  const rows = Array.from({ length: n }, () => {
    const row = () => Float32Array.from({ length: vocab }, () => 8 * random() - 4);
    const base = row(), noise = row();
    return { base, other: base.map((x, i) => x + 0.1 * noise[i]!), right: Math.floor(random() * vocab) };
  });
  const softmax = (row: Float32Array) => {
    const powers = [...row].map((x) => Math.exp(x)), sum = powers.reduce((a, b) => a + b);
    return powers.map((x) => x / sum);
  };
  const probabilities = rows.map(({ base, other }) => ({ p: softmax(base), q: softmax(other) }));
  const klds = probabilities.map(({ p, q }) => p.reduce((sum, x, i) => sum + x * Math.log(x / q[i]!), 0));
  const deltas = probabilities.map(({ p, q }, i) => q[rows[i]!.right]! - p[rows[i]!.right]!);
  const nlls = probabilities.map(({ q }, i) => -Math.log(q[rows[i]!.right]!));
  const baseNlls = probabilities.map(({ p }, i) => -Math.log(p[rows[i]!.right]!));
  const all = rows.map(({ base, other, right }) => divergenceOf(referenceRow(base), other, right));
  all.forEach(({ kld, deltaP }, i) => {
    near(kld, klds[i]!);
    near(deltaP, deltas[i]!);
  });

  // As llama.cpp writes them: sums of values, squares and products.
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b);
  const meanAndError = (values: readonly number[]): [number, number] => {
    const f = sum(values) / n, df = sum(values.map((x) => x * x)) / n - f * f;
    return [f, Math.sqrt(df / (n - 1))];
  };
  const found = summariseDivergence(all);
  const [kld, kldError] = meanAndError(klds), sorted = klds.toSorted((a, b) => a - b);
  near(found.kld.mean.value, kld);
  near(found.kld.mean.error, kldError);
  assert.equal(found.positions, n);
  near(found.kld.median, sorted[105]!);
  near(found.kld.max, sorted[210]!);
  near(found.kld.p95, sorted[199]! + 0.5 * (sorted[200]! - sorted[199]!)); // rank 0.95 * 210 = 199.5
  near(found.kld.p99, sorted[207]! + 0.9 * (sorted[208]! - sorted[207]!)); // rank 207.9
  const [square, squareError] = meanAndError(deltas.map((x) => x * x));
  near(found.delta_p.mean.value, sum(deltas) / n);
  near(found.delta_p.rms.value, Math.sqrt(square));
  near(found.delta_p.rms.error, 0.5 / Math.sqrt(square) * squareError);
  const [nll, nllError] = meanAndError(nlls), [baseNll, baseError] = meanAndError(baseNlls);
  near(found.perplexity.value, Math.exp(nll), 1e-8);
  near(found.perplexity.error, Math.exp(nll) * nllError, 1e-8);
  near(referencePerplexity(all).value, Math.exp(baseNll), 1e-8);
  const covariance = (sum(nlls.map((x, i) => x * baseNlls[i]!)) / n - nll * baseNll) / (n - 1);
  const ratioError = Math.sqrt(nllError ** 2 + baseError ** 2 - 2 * covariance);
  near(found.perplexity_ratio.value, Math.exp(nll - baseNll));
  near(found.perplexity_ratio.error, Math.exp(nll - baseNll) * ratioError, 1e-9);
  const same = sum(probabilities.map(({ p, q }) => {
    const top = (values: readonly number[]) => values.indexOf(Math.max(...values));
    return Number(top(p) === top(q));
  })) / n;
  near(found.same_top.value, same);
  near(found.same_top.error, Math.sqrt(same * (1 - same) / (n - 1)));
});

Deno.test("One position has figures and no errors", () => {
  const row = Float32Array.of(0, 1),
    { kld, perplexity, delta_p } = summariseDivergence([
      divergenceOf(referenceRow(row), Float32Array.of(1, 0), 1),
    ]);
  assert.equal(kld.mean.error, null);
  assert.equal(perplexity.error, null);
  assert.equal(delta_p.rms.error, null);
});
