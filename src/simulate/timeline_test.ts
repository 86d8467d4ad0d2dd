import assert from "node:assert/strict";
import fc from "fast-check";
import { TimelineBuilder } from "./timeline.ts";

const usage = (sequences: number) => ({
  token_states: 10 * sequences,
  reserved: 0,
  internal: 1,
  external: 0,
  free: 100 - 10 * sequences,
  sequences,
});

Deno.test("A timeline has the mean of each span of time", () => {
  const builder = new TimelineBuilder();
  builder.add(usage(1), 0, 0.5);
  builder.add(usage(3), 0.5, 2);
  assert.deepEqual(builder.timeline.sequences, [2, 3]);
  assert.deepEqual(builder.timeline.free, [80, 70]);
});

Deno.test("A timeline keeps its sums however long it becomes, in a bounded number of spans", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 5000 })), { minLength: 1 }),
      (steps) => {
        const builder = new TimelineBuilder();
        let now = 0, sum = 0;
        for (const [sequences, ms] of steps) {
          builder.add(usage(sequences), now, now += ms);
          sum += sequences * ms;
        }
        const { span_ms, sequences } = builder.timeline;
        assert.ok(sequences.length <= 256);
        const kept = sequences.reduce((total, each) => total + each * span_ms, 0);
        assert.ok(Math.abs(kept - sum) <= 1e-6 * Math.max(1, sum), `${kept} is not ${sum}`);
      },
    ),
  );
});
