import assert from "node:assert/strict";
import { byteUnit, formatBytes, formatCount, formatMs, formatMsRange, formatPercent } from "./units.ts";

Deno.test("formatBytes() picks the binary unit in which the number is short", () => {
  const cases = [[0, "0 B"], [512, "512 B"], [1024, "1.0 KiB"], [1536, "1.5 KiB"], [
    482_304,
    "471 KiB",
  ]] as const;
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
  assert.equal(formatBytes(9.4 * 2 ** 20), "9.4 MiB");
  assert.equal(formatBytes(12 * 2 ** 30), "12.0 GiB");
});

Deno.test("formatBytes() never shows 1024 of a unit", () => {
  assert.equal(formatBytes(2 ** 20 - 1), "1.0 MiB");
  for (let bytes = 2 ** 20 - 2000; bytes <= 2 ** 20; bytes++) {
    assert.doesNotMatch(formatBytes(bytes), /^1024/);
  }
});

Deno.test("formatMs() keeps 3 significant digits at every size", () => {
  const cases = [
    [0, "0 ms"],
    [0.012345, "0.0123 ms"],
    [0.9996, "1.00 ms"],
    [7.8, "7.80 ms"],
    [9.999, "10.0 ms"],
    [31.24, "31.2 ms"],
    [999.7, "1000 ms"],
    [9_940, "9940 ms"],
    [12_345, "12.3 s"],
  ] as const;
  for (const [ms, text] of cases) assert.equal(formatMs(ms), text);
});

Deno.test("formatMsRange() shows all three in one unit", () => {
  assert.equal(formatMsRange(7.8, 7.71, 7.934), "7.80 (7.71–7.93) ms");
  assert.equal(formatMsRange(9_900, 9_800, 10_100), "9.90 (9.80–10.1) s");
});

Deno.test("formatPercent() shows small shares with a decimal and a part of nothing as 0", () => {
  assert.equal(formatPercent(38, 100), "38 %");
  assert.equal(formatPercent(4, 1000), "0.4 %");
  assert.equal(formatPercent(0, 0), "0 %");
});

Deno.test("formatCount() groups digits by three", () => {
  assert.equal(formatCount(7), "7");
  assert.equal(formatCount(50257), "50 257");
  assert.equal(formatCount(124439808), "124 439 808");
});

Deno.test("byteUnit() says how many bytes the unit is", () => {
  assert.deepEqual(byteUnit(3 * 2 ** 20), { name: "MiB", bytes: 2 ** 20 });
});
