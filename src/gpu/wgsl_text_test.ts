import assert from "node:assert/strict";
import { codeOf } from "./wgsl_text.ts";

Deno.test("codeOf() removes line comments, nested block comments, indentation and empty lines", () => {
  const wgsl = "// head\nfn f(a: u32) -> u32 { // inline\n\n  return a /* one /* two // */ */ / 2u;\n}\n";
  assert.equal(codeOf(wgsl), "fn f(a: u32) -> u32 {\nreturn a / 2u;\n}");
});

Deno.test("codeOf() keeps tokens apart where a comment stood between them, and divisions", () => {
  assert.equal(codeOf("let/**/x = a / b;// * /"), "let x = a / b;");
  assert.equal(codeOf("a //* not a block\nb"), "a\nb");
});

Deno.test("codeOf() takes an unclosed block comment as a comment to the end", () => {
  assert.equal(codeOf("a /* b\nc"), "a");
});

Deno.test("codeOf() sees a change of code", () => {
  assert.notEqual(codeOf("return a + b; // sum"), codeOf("return a - b; // sum"));
});
