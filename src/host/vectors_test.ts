import assert from "node:assert/strict";
import { hasWideVectors } from "./vectors.ts";

Deno.test("hasWideVectors() finds all parts of AVX-512 that vectors need", () => {
  const of = (flags: string) =>
    hasWideVectors(`model name\t: CPU\nflags\t\t: fpu ${flags} aes\nbugs\t\t: none\n`);
  assert.ok(of("avx2 avx512f avx512dq avx512bw avx512vl avx512_vnni"));
  assert.ok(!of("avx2 avx512f avx512cd avx512er"));
  assert.ok(!of("avx2 avx512f_other avx512dq avx512bw avx512vl"));
  assert.ok(!hasWideVectors("Features\t: fp asimd sve\n"));
  assert.ok(!hasWideVectors(""));
});
