import assert from "node:assert/strict";
import {
  byteCount,
  decimal,
  idList,
  nameList,
  positive,
  repeated,
  share,
  wholeNumber,
  wholeNumbers,
} from "./values.ts";

/** What commander turns into exit code 2. */
function assertRefused(parse: (text: string) => unknown, text: string, message: RegExp): void {
  assert.throws(() => parse(text), { name: /^(Error|InvalidArgumentError|CommanderError)$/, message }, text);
}

Deno.test("wholeNumber() takes the ends of its range and nothing outside it", () => {
  const parse = wholeNumber(1, 256);
  assert.deepEqual(["1", "016", "256"].map(parse), [1, 16, 256]);
  for (const text of ["0", "257", "-1", "1.5", "1e2", "0x10", "", " 1", "one"]) {
    assertRefused(parse, text, /^Expected a whole number from 1 to 256$/);
  }
});

Deno.test("wholeNumbers() takes several, none twice", () => {
  assert.deepEqual(wholeNumbers(1, 9)("1, 9,3"), [1, 9, 3]);
  assertRefused(wholeNumbers(1, 9), "1,10", /^Expected a whole number from 1 to 9$/);
  assertRefused(wholeNumbers(1, 9), "1,,2", /^Expected a whole number from 1 to 9$/);
  assertRefused(wholeNumbers(1, 9), "2,02", /^A value stands twice$/);
});

Deno.test("share() takes a share or percent", () => {
  assert.deepEqual(["5%", "0.05", "2.5 %", "100%"].map(share(0, 1)), [0.05, 0.05, 0.025, 1]);
  for (const text of ["", "%", "5%%", "-1%", "101%", "2", "x", "1e-2"]) {
    assertRefused(share(0, 1), text, /^Expected a share from 0% to 100%, such as 5%$/);
  }
});

Deno.test("decimal() takes numbers within its range", () => {
  const parse = decimal(-1, 100);
  assert.deepEqual(["0.7", "-1", "1e-3", "0", "1e2"].map(parse), [0.7, -1, 1e-3, 0, 100]);
  for (const text of ["", " ", "NaN", "Infinity", "1,5", "x", "1e308", "-1.1", "100.1"]) {
    assertRefused(parse, text, /^Expected a number from -1 to 100$/);
  }
});

Deno.test("positive() takes numbers above 0, as float32 has them", () => {
  const parse = positive(10);
  assert.deepEqual(["0.7", "10", "1e-30"].map(parse), [0.7, 10, 1e-30]);
  for (const text of ["", " ", "NaN", "Infinity", "0", "-1", "1e-320", "10.1"]) {
    assertRefused(parse, text, /^Expected a number above 0 and at most 10$/);
  }
});

Deno.test("byteCount() takes bytes with a unit", () => {
  assert.deepEqual(["64MiB", "1.5 GB", "12kb", "7B"].map(byteCount), [64 * 2 ** 20, 1.5e9, 12_000, 7]);
  assertRefused(byteCount, "99999999999999999999GiB", /^Expected at most 8388607GiB$/);
  for (const text of ["", "64", "-1MB", "1 TB", "MiB", "1e3MB"]) {
    assertRefused(byteCount, text, /^Expected bytes with a unit, such as 64MiB or 12GB$/);
  }
});

Deno.test("idList() takes ids with commas between them", () => {
  assert.deepEqual(idList("464"), [464]);
  assert.deepEqual(idList("0, 50256 ,4294967295"), [0, 50256, 2 ** 32 - 1]);
  for (const text of ["", " ", ",", "1,", "1,,2", "-1", "1.0", "a", "4294967296", "1 2"]) {
    assertRefused(idList, text, /^Expected token ids with commas between them/);
  }
});

Deno.test("nameList() takes names of its choices, each once", () => {
  const parse = nameList(["no-cache", "paged"]);
  assert.deepEqual(parse("paged, no-cache"), ["paged", "no-cache"]);
  assertRefused(parse, "paged,lru", /^"lru" is unknown: expected no-cache, paged$/);
  assertRefused(parse, "", /^"" is unknown/);
  assertRefused(parse, "paged,paged", /^A name stands twice$/);
});

Deno.test("repeated() gathers values in order and leaves the list before alone", () => {
  const before = Object.freeze(repeated("a")) as string[];
  assert.deepEqual(repeated("b", before), ["a", "b"]);
  assert.deepEqual(before, ["a"]);
});
