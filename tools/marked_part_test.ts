import assert from "node:assert/strict";
import { partOf, withPart } from "./marked_part.ts";

const PAGE = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";

Deno.test("withPart() replaces what stands between the marks, and nothing else", () => {
  assert.equal(partOf(PAGE, "x"), "\nold\n");
  assert.equal(withPart(PAGE, "x", "new"), "a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb\n");
});

Deno.test("A page without the marks is refused, and so is one whose marks are in the wrong order", () => {
  for (const page of ["a", "<!-- x -->", "<!-- /x --> <!-- x -->"]) {
    assert.throws(() => withPart(page, "x", "new"), /has no part 'x': expected <!-- x -->/);
  }
});
