/**
 * Kernels that are compiled side by side: an error is that of the kernel which has it, whatever else is compiled at the
 * same moment.
 */
import assert from "node:assert/strict";
import { KernelError } from "../src/base/errors.ts";
import { BindLayout } from "../src/gpu/bind_layout.ts";
import { scoped } from "../src/gpu/error_scope.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { createKernel, type Kernel } from "../src/gpu/kernel.ts";
import { permitted } from "./permitted.ts";
import { sourcesIn } from "./sources.ts";
import { gpuTest } from "./gpu_support.ts";

/** Kernels that one round compiles side by side. */
const KERNELS = 12;
const ROUNDS = 10;

/** A kernel of its own, so that none is taken from those compiled before; some can't be compiled. */
function sourceOf(round: number, index: number, broken: boolean) {
  return {
    name: `${broken ? "bad" : "valid"}_${round}_${index}.wgsl`,
    code: `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1)
fn main() {
  y[0] = ${broken ? "missing" : `${round * KERNELS + index}u`};
}
`,
  };
}

async function compileRound(gpu: Gpu, round: number, isBroken: (index: number) => boolean): Promise<void> {
  const sources = Array.from({ length: KERNELS }, (_, i) => sourceOf(round, i, isBroken(i)));
  const results = await Promise.allSettled(sources.map((source) => {
    const groups = [new BindLayout(gpu.device, "test", { y: "readWrite" })];
    return createKernel(gpu.device, { files: [source], groups });
  }));
  for (const [i, result] of results.entries()) {
    const { name } = sources[i]!;
    if (!isBroken(i)) {
      const reason = result.status === "rejected" ? String(result.reason) : "";
      assert.equal(reason, "", `${name} is valid`);
      assert.equal((result as PromiseFulfilledResult<Kernel>).value.name, name);
      continue;
    }
    assert.ok(result.status === "rejected", `${name} can't be compiled`);
    assert.ok(result.reason instanceof KernelError, String(result.reason));
    const named = [...result.reason.message.matchAll(/\w+\.wgsl/g)].map(([file]) => file);
    assert.deepEqual([...new Set(named)], [name], result.reason.message);
  }
  gpu.assertHealthy();
}

gpuTest("createKernel() blames no valid kernel for one that is compiled at the same moment", async (gpu) => {
  for (let round = 0; round < ROUNDS; round++) await compileRound(gpu, round, (i) => i % 3 === round % 3);
});

gpuTest(
  "createKernel() gives each of many broken kernels its own error, and the valid one none",
  async (gpu) => {
    for (let round = 0; round < ROUNDS; round++) {
      await compileRound(gpu, ROUNDS + round, (i) => i !== round % KERNELS);
    }
  },
);

gpuTest(
  "scoped() reports what its call did wrong, and lets no scope stay open where the call throws",
  async (gpu) => {
    const shader = (code: string) => scoped(gpu.device, () => gpu.device.createShaderModule({ code }));
    const [bad, good] = [shader("fn"), shader("")];
    assert.throws(() =>
      scoped(gpu.device, (): number => {
        throw new Error("made nothing");
      }), { message: "made nothing" });
    assert.equal(await good.error, null);
    assert.ok(await bad.error);
    await assert.rejects(gpu.device.popErrorScope(), "a scope is open");
  },
);

Deno.test("Error scopes are opened and closed in one file alone", { ignore: !permitted("read") }, () => {
  const src = new URL("../src/", import.meta.url);
  const users = sourcesIn(src).filter((file) => /\b(push|pop)ErrorScope\b/.test(Deno.readTextFileSync(file)));
  assert.deepEqual(users.map(({ href }) => href.slice(src.href.length)), ["gpu/error_scope.ts"]);
});
