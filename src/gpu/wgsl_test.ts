import assert from "node:assert/strict";
import { codeOf, joinedCode } from "./wgsl.ts";

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

Deno.test("joinedCode() changes with code, and not with comments, names or order of files", () => {
  const a = { name: "a.wgsl", code: "// a\nconst A = 1;\n" }, b = { name: "b.wgsl", code: "const B = 2;\n" };
  const joined = joinedCode([a, b]);
  assert.equal(joined, "const A = 1;\nconst B = 2;");
  assert.equal(joinedCode([b, { name: "c.wgsl", code: "/* other */ const  A = 1; // words\n" }]), joined);
  assert.notEqual(joinedCode([a, { ...b, code: "const B = 3;\n" }]), joined);
});
