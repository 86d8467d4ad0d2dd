import assert from "node:assert/strict";
import { seededRandom } from "../base/random.ts";
import { DATA_SETS, drawLengths, FITTED_CONTEXT, LENGTH_MODELS } from "./lengths.ts";

for (const name of DATA_SETS) {
  Deno.test(`Lengths drawn for ${name} have the paper's means, and hold the paper's tokens over time`, () => {
    const model = LENGTH_MODELS[name];
    const random = seededRandom(1);
    const count = 100_000;
    let prompts = 0, outputs = 0, held = 0;
    for (let i = 0; i < count; i++) {
      const drawn = drawLengths(model, { nCtx: FITTED_CONTEXT }, { scale: 1, random });
      assert.ok(drawn.promptTokens >= 1 && drawn.newTokens >= 1);
      assert.ok(drawn.promptTokens + drawn.newTokens <= FITTED_CONTEXT);
      prompts += drawn.promptTokens;
      outputs += drawn.newTokens;
      // A sequence runs for as many steps as it makes tokens, and holds half of them on average.
      held += drawn.newTokens * (drawn.promptTokens + drawn.newTokens / 2);
    }
    const close = (actual: number, expected: number) =>
      assert.ok(Math.abs(actual / expected - 1) < 0.02, `${actual}, expected ${expected}`);
    close(prompts / count, model.means.prompt);
    close(outputs / count, model.means.output);
    close(held / outputs, model.running);
  });
}

Deno.test("Lengths are scaled, fit the context, and are the same for the same seed", () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from(
      { length: 1000 },
      () => drawLengths(LENGTH_MODELS.sharegpt, { nCtx: 64 }, { scale: 0.1, random }),
    );
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
  for (const { promptTokens, newTokens } of draw(7)) assert.ok(promptTokens + newTokens <= 64);
});
