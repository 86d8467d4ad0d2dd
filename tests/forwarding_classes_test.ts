/** No class only forwards: where every method is one call on one field, the field itself serves its users. */
import assert from "node:assert/strict";
import { permitted } from "./permitted.ts";
import { sourcesIn } from "./sources.ts";

const SRC = new URL("../src/", import.meta.url);

/** Classes at the left margin, as `deno fmt` has them: name and body. */
const CLASS = /^(?:export )?(?:abstract )?class (\w+)[^{]*\{\n(.*?)^\}/gms;
/** Their methods and accessors: name and statements. */
const METHOD =
  /^ {2}(?:(?:static|async|override|get|set) )*(#?\w+)\((?:[^{}]|\{[^{}]*\})*?\{\n(.*?)^ {2}\}/gms;
/** One statement: a call on a field, or the reading of a field's field. */
const FORWARD = /^ {4}(?:return )?(?:await )?this\.#?\w+\.\w+(?:\([^;]*\))?;\n$/;

/** Returns the classes in a text whose every method forwards, constructors aside. */
function forwardingIn(text: string): string[] {
  return [...text.matchAll(CLASS)].filter(([, , body]) => {
    const methods = [...body!.matchAll(METHOD)].filter(([, name]) => name !== "constructor");
    return methods.length > 1 && methods.every(([, , statements]) => FORWARD.test(statements!));
  }).map(([, name]) => name!);
}

Deno.test(
  "No class of src has methods alone that are one call on one field",
  { ignore: !permitted("read") },
  () => {
    const found = sourcesIn(SRC).flatMap((file) =>
      forwardingIn(Deno.readTextFileSync(file)).map((name) => `${file.href.slice(SRC.href.length)}: ${name}`)
    );
    assert.deepEqual(found, []);
  },
);

Deno.test("forwardingIn() finds a class that forwards, and none with a method of its own", () => {
  const forward =
    "  get bytes(): number {\n    return this.#pool.bytes;\n  }\n\n  submit(): void {\n    this.#runner.submit();\n  }\n";
  const own = "  add({ a, b }: Pair): number {\n    return a + b;\n  }\n";
  assert.deepEqual(forwardingIn(`export class A {\n${forward}}\n\nclass B {\n${forward}${own}}\n`), ["A"]);
});
