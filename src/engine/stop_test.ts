import assert from "node:assert/strict";
import fc from "fast-check";
import { StopDetector } from "./stop.ts";
import { runs } from "../../tests/fuzz.ts";

/** Pushes the pieces one after another; gives what was shown. */
function shown(stops: readonly string[], pieces: readonly string[]): { text: string; stopped: boolean } {
  const detector = new StopDetector(stops);
  const text = pieces.map((piece) => detector.push(piece)).join("") + detector.flush();
  return { text, stopped: detector.stopped };
}

Deno.test("StopDetector shows everything at once where there is no stop string", () => {
  for (const stops of [[], [""]]) {
    const detector = new StopDetector(stops);
    assert.equal(detector.push("abc"), "abc");
    assert.equal(detector.flush(), "");
    assert.equal(detector.stopped, false);
  }
});

Deno.test("StopDetector holds back what may be the start of a stop string, and no more", () => {
  const detector = new StopDetector(["end."]);
  assert.equal(detector.push("the en"), "the ");
  assert.equal(detector.push("em"), "enem"); // a part of "en" + "em" that was held back, and nothing new
  assert.equal(detector.push("y e"), "y ");
  assert.equal(detector.flush(), "e");
});

Deno.test("StopDetector ends before a stop string that comes in pieces, and shows nothing after it", () => {
  const detector = new StopDetector(["end."]);
  assert.deepEqual(["The e", "n", "d. More"].map((piece) => detector.push(piece)), ["The ", "", ""]);
  assert.equal(detector.stopped, true);
  assert.equal(detector.push("more"), "");
  assert.equal(detector.flush(), "");
});

Deno.test("StopDetector ends before the stop string that is complete first, the longest of those that end there", () => {
  assert.deepEqual(shown(["cd", "bcde"], ["abcdef"]), { text: "ab", stopped: true });
  assert.deepEqual(shown(["cd", "bcd"], ["abcdef"]), { text: "a", stopped: true });
  assert.deepEqual(shown(["f", "b"], ["abcdef"]), { text: "a", stopped: true });
});

Deno.test("StopDetector sees a stop string that begins again inside itself", () => {
  assert.deepEqual(shown(["aab"], ["a", "a", "a", "b"]), { text: "a", stopped: true });
});

/** What is to be shown of a text, found letter by letter. */
function expected(stops: readonly string[], text: string): { text: string; stopped: boolean } {
  for (let end = 1; end <= text.length; end++) {
    const starts = stops.filter((stop) => text.slice(0, end).endsWith(stop)).map((stop) => end - stop.length);
    if (starts.length > 0) return { text: text.slice(0, Math.min(...starts)), stopped: true };
  }
  return { text, stopped: false };
}

Deno.test("StopDetector shows the same text, however it is cut and whatever stop strings overlap", () => {
  const letter = fc.constantFrom("a", "b");
  const pieces = fc.array(fc.string({ unit: letter, maxLength: 8 }), { maxLength: 6 });
  const stops = fc.array(fc.string({ unit: letter, minLength: 1, maxLength: 6 }), { maxLength: 4 });
  let stopped = 0, overlapping = 0;
  fc.assert(
    fc.property(pieces, stops, (pieces, stops) => {
      const text = pieces.join("");
      const result = shown(stops, pieces);
      assert.deepEqual(result, expected(stops, text));
      assert.ok(stops.every((stop) => !result.text.includes(stop)));
      if (result.stopped) stopped++;
      const first = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
      if (result.stopped && result.text.length !== Math.min(...first)) overlapping++;
    }),
    { numRuns: runs(3000), seed: 1 },
  );
  assert.ok(stopped > 500 && overlapping > 10, `${stopped} ended, ${overlapping} inside a longer one`);
});
