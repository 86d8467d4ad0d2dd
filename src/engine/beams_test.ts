import assert from "node:assert/strict";
import { Beams, EARLY_STOPPING, type EarlyStopping } from "./beams.ts";

/** Logits whose softmax these are. */
function logitsOf(...probabilities: number[]): Float32Array {
  return Float32Array.from(probabilities, Math.log);
}

const EOS = 3;

function beamsOf(
  options: { earlyStopping?: EarlyStopping; lengthPenalty?: number; newTokens?: number } = {},
): Beams {
  return new Beams({
    nBeams: 2,
    newTokens: 3,
    lengthPenalty: 1,
    earlyStopping: "false",
    eos: EOS,
    ...options,
  });
}

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`);
}

Deno.test("Beams keeps the likeliest continuations, whichever beams they come from", () => {
  const beams = beamsOf();
  assert.deepEqual(beams.step([logitsOf(0.5, 0.4, 0.05, 0.05)]), [0, 0]);
  assert.deepEqual(beams.open, [[0], [1]]);
  assert.deepEqual(beams.step([logitsOf(0.3, 0.3, 0.3, 0.1), logitsOf(0.1, 0.8, 0.05, 0.05)]), [1, 0]);
  assert.deepEqual(beams.open, [[1, 1], [0, 0]]);
  assert.equal(beams.step([logitsOf(0.1, 0.1, 0.7, 0.1), logitsOf(0.25, 0.25, 0.25, 0.25)]), undefined);
  const [best, second] = beams.hypotheses();
  assert.deepEqual([best!.ids, second!.ids], [[1, 1, 2], [0, 0, 0]]);
  close(best!.score, Math.log(0.4 * 0.8 * 0.7) / 3);
});

Deno.test("Beams finishes a beam at the end of text only where it is among the best candidates", () => {
  const beams = beamsOf({ newTokens: 2 });
  beams.step([logitsOf(0.4, 0.3, 0.05, 0.25)]); // third: not among the best two
  assert.deepEqual(beams.open, [[0], [1]]);
  beams.step([logitsOf(0.05, 0.1, 0.05, 0.8), logitsOf(0.5, 0.2, 0.2, 0.1)]);
  const [best, second] = beams.hypotheses();
  assert.deepEqual([best!.ids, second!.ids], [[0, EOS], [1, 0]]);
  close(best!.score, Math.log(0.4 * 0.8) / 2);
});

Deno.test("Beams divides by the length to the power of the penalty", () => {
  for (const [lengthPenalty, first] of [[0, 1], [2, 2]] as const) {
    const beams = beamsOf({ lengthPenalty, newTokens: 2 });
    beams.step([logitsOf(0.3, 0.25, 0.05, 0.4)]);
    beams.step([logitsOf(0.9, 0.05, 0.04, 0.01), logitsOf(0.4, 0.3, 0.2, 0.1)]);
    assert.equal(beams.hypotheses()[0]!.ids.length, first);
  }
});

Deno.test("Beams ends at once, when nothing open is better, or when nothing can become better", () => {
  const steps = EARLY_STOPPING.map((earlyStopping) => {
    const beams = beamsOf({ earlyStopping, newTokens: 30 });
    beams.step([logitsOf(0.55, 0.4, 0.04, 0.01)]);
    let n = 1;
    while (beams.step([logitsOf(0.1, 0.1, 0.1, 0.7), logitsOf(0.1, 0.1, 0.1, 0.7)])) n++;
    assert.deepEqual(beams.hypotheses().map(({ ids }) => ids), [[0, EOS], [1, EOS]]);
    return n;
  });
  // After the second step two beams are finished, the worse one with log(0.4 * 0.7) / 2 = -0.64. The best candidate of
  // that step has log(0.55 * 0.7) / 2, that of the third log(0.055 * 0.7) / 3. What could become of an open beam is
  // its sum / 30, which is above -0.64 up to a sum of -19: for 0.055 * 0.1 ** 6, and not 0.055 * 0.1 ** 7.
  assert.deepEqual(steps, [1, 2, 9]);
});
