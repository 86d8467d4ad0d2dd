import assert from "node:assert/strict";
import { UsageError } from "../base/errors.ts";
import { checkSampling, GREEDY, MOST_TEMPERATURE, packSampling, type Sampling } from "./sampling.ts";

Deno.test("checkSampling() takes the ends of every range", () => {
  checkSampling(GREEDY);
  checkSampling({ temperature: MOST_TEMPERATURE, topK: 1, topP: 1e-9, seed: 2 ** 32 - 1 });
  checkSampling({ temperature: 0.7, topK: 2 ** 32 - 1, topP: 1, seed: 0 });
});

Deno.test("checkSampling() names the value that is out of range", () => {
  const wrong: [Partial<Sampling>, RegExp][] = [
    ...[-0.1, NaN, Infinity].map((
      temperature,
    ): [Partial<Sampling>, RegExp] => [{ temperature }, /temperature/]),
    ...[-1, 1.5, NaN, 2 ** 32].map((topK): [Partial<Sampling>, RegExp] => [{ topK }, /top-k/]),
    ...[0, -0.5, 1.01, NaN].map((topP): [Partial<Sampling>, RegExp] => [{ topP }, /top-p/]),
    ...[-1, 0.5, NaN, 2 ** 32].map((seed): [Partial<Sampling>, RegExp] => [{ seed }, /seed/]),
  ];
  for (const [values, name] of wrong) {
    assert.throws(() => checkSampling({ ...GREEDY, ...values }), (error: Error) => {
      assert.ok(error instanceof UsageError, `${JSON.stringify(values)}: ${error}`);
      assert.match(error.message, name);
      return true;
    });
  }
});

Deno.test("packSampling() lays four words out per sequence", () => {
  const bytes = packSampling([GREEDY, { temperature: 0.5, topK: 40, topP: 0.25, seed: 2 ** 32 - 1 }]);
  assert.deepEqual([...new Float32Array(bytes)].filter((_, i) => i % 2 === 0), [0, 1, 0.5, 0.25]);
  assert.deepEqual([...new Uint32Array(bytes)].filter((_, i) => i % 2 === 1), [0, 0, 40, 2 ** 32 - 1]);
});
