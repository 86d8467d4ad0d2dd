/**
 * What stands in one place stands nowhere else: names of storage types only where the formats are.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DTYPES } from "../src/formats/registry.ts";
import { permitted } from "./permitted.ts";
import { sourcesIn } from "./sources.ts";

const SRC = new URL("../src/", import.meta.url);

Deno.test("Only src/formats names storage types: everything else asks them", {
  ignore: !permitted("read"),
}, () => {
  const names = new RegExp(`["'](?:${DTYPES.join("|")})["']`);
  const naming = sourcesIn(SRC).filter((file) => names.test(Deno.readTextFileSync(file))).map(({ href }) =>
    href.slice(SRC.href.length)
  );
  assert.deepEqual(naming.sort(), ["formats/float16.ts", "formats/float32.ts", "formats/int8.ts"]);
});
