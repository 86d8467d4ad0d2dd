import assert from "node:assert/strict";
import { fixtureResult } from "../../tests/fixtures/result.ts";
import { formatJson } from "./json.ts";

Deno.test("formatJson() gives the value back when it is parsed, with a list of numbers on one line", () => {
  const result = {
    ...fixtureResult(),
    odd: ["\u2028</script>", '"', -0.5e-9],
    none: [],
    nothing: {},
    is: null,
  };
  const text = formatJson(result);
  assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(result)));
  assert.match(text, /^ {2}"none": \[\],$/m);
  assert.match(text, /^ {8}"samples": \[\d[\d.,]+\d\],$/m);
  assert.equal(formatJson({ a: undefined, b: 1 }), '{\n  "b": 1\n}');
});
