/** `kvbench logits` against the golden logits. */
import assert from "node:assert/strict";
import { strategyNames } from "../src/kv/registry.ts";
import { goldenCase, ignore, inScratch, kvbench, namesIn, RANDOM_SMALL } from "./cli_support.ts";
import { assertClose } from "./gpu_support.ts";

const TINY_VOCABULARY = 50257;
const SMALL_VOCABULARY = 509;
/** What kvbench promises for float32 weights. */
const TOLERANCE = 2e-3;

/** Runs `logits` in a folder of its own and gives what it wrote and what it said. */
async function logits(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ values: Float32Array; said: string }> {
  let values = new Float32Array();
  let said = "";
  await inScratch(async (folder) => {
    const result = await kvbench(["logits", ...args, "-o", `${folder}/new/l.f32`], {
      read: [RANDOM_SMALL],
      write: folder,
      env,
    });
    assert.deepEqual([result.code, result.stdout], [0, ""], result.stderr);
    assert.deepEqual(namesIn(`${folder}/new`), ["l.f32"]);
    values = new Float32Array((await Deno.readFile(`${folder}/new/l.f32`)).buffer);
    said = result.stderr;
  });
  return { values, said };
}

Deno.test("logits writes the golden logits of the last position", { ignore }, async () => {
  const { ids, logits: expected } = await goldenCase("tiny", "alice");
  const { values, said } = await logits(["--prompt-ids", ids.join(",")]);
  assert.equal(values.length, TINY_VOCABULARY);
  assertClose(values, expected, { tolerance: TOLERANCE, name: "alice" });
  assert.match(said, /^Wrote 1 × 50257 logits \(little-endian float32\) to .*l\.f32\n$/);
});

// Without the driver's cache: that of Mesa 25 takes kernels that were compiled for 256 bits.
Deno.test("logits are the golden ones where Mesa's vectors have 512 bits", { ignore }, async () => {
  const { ids, logits: expected } = await goldenCase("random-small", "full");
  const args = ["--all", "--model", RANDOM_SMALL, "--prompt-ids", ids.join(",")];
  const { values } = await logits(args, { LP_NATIVE_VECTOR_WIDTH: "512", MESA_SHADER_CACHE_DISABLE: "true" });
  assertClose(values, expected, { tolerance: TOLERANCE, name: "512 bits", width: SMALL_VOCABULARY });
});

Deno.test(
  "logits --all writes a golden row for every position, recomputed, from a cache and from blocks",
  { ignore },
  async () => {
    const { ids, logits: expected } = await goldenCase("random-small", "full");
    for (const strategy of strategyNames("bench")) {
      const args = ["--all", "--model", RANDOM_SMALL, "--strategy", strategy, "--prompt-ids", ids.join(",")];
      const { values } = await logits(args);
      assert.equal(values.length, ids.length * SMALL_VOCABULARY);
      assertClose(values, expected, { tolerance: TOLERANCE, name: strategy, width: SMALL_VOCABULARY });
    }
  },
);

Deno.test("logits --all goes on where a chunk of rows ends", { ignore }, async () => {
  const ids = (await goldenCase("tiny", "long-1000")).ids.slice(0, 65);
  const { values } = await logits(["--all", "--prompt-ids", ids.join(",")]);
  assert.equal(values.length, 65 * TINY_VOCABULARY);
  for (const count of [64, 65]) {
    const last = await logits(["--prompt-ids", ids.slice(0, count).join(",")]);
    const row = values.subarray((count - 1) * TINY_VOCABULARY, count * TINY_VOCABULARY);
    assertClose(row, last.values, { tolerance: TOLERANCE, name: `row ${count}` });
  }
});
