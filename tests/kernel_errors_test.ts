/**
 * What is wrong with a kernel is an error that says where: WGSL by file and line, overrides and bindings by kernel.
 */
import assert from "node:assert/strict";
import { KvbenchError } from "../src/base/errors.ts";
import { BindLayout } from "../src/gpu/bind_layout.ts";
import { createKernel, type KernelSpec } from "../src/gpu/kernel.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { openGpu } from "../src/host/gpu.ts";
import { Recorder } from "../src/gpu/recorder.ts";
import { Scratch } from "../src/check/scratch.ts";
import { gpuTest } from "./gpu_support.ts";

const HEAD = { name: "head.wgsl", code: "// One line\noverride N: u32;\n" };
const BODY = {
  name: "body.wgsl",
  code: `@group(0) @binding(0) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(1)
fn main() {
  y[0] = N;
}
`,
};

/** Checks that compiling fails with one clear line. */
async function assertRefused(gpu: Gpu, spec: Partial<KernelSpec>, message: RegExp): Promise<void> {
  const groups = [new BindLayout(gpu.device, "test", { y: "readWrite" })];
  const compiling = createKernel(gpu.device, { files: [HEAD, BODY], groups, overrides: { N: 1 }, ...spec });
  await assert.rejects(compiling, (error: unknown) => {
    assert(error instanceof KvbenchError, String(error));
    assert.match(error.message, message);
    assert(!error.message.includes("\n"), "wanted one line");
    return true;
  });
  gpu.assertHealthy();
}

gpuTest("createKernel() names file, line and column of a syntax error in the second file", async (gpu) => {
  const broken = { name: "broken.wgsl", code: BODY.code.replace("y[0] = N;", "y[0] = N") };
  await assertRefused(gpu, { files: [HEAD, broken] }, /^WGSL does not compile: broken\.wgsl:6:1: /);
});

gpuTest("createKernel() names the file of a syntax error in the first file", async (gpu) => {
  const broken = { name: "broken.wgsl", code: "// One line\noverride N u32;\n" };
  await assertRefused(gpu, { files: [broken, BODY] }, /^WGSL does not compile: broken\.wgsl:2:12: /);
});

gpuTest("createKernel() names file and line of an unknown name", async (gpu) => {
  const broken = { name: "broken.wgsl", code: BODY.code.replace("= N;", "= M;") };
  await assertRefused(gpu, { files: [HEAD, broken] }, /^WGSL does not compile: broken\.wgsl:5:10: .*M/);
});

gpuTest("createKernel() names file and line of a type error", async (gpu) => {
  const broken = { name: "broken.wgsl", code: BODY.code.replace("= N;", "= 1.5;") };
  await assertRefused(gpu, { files: [HEAD, broken] }, /^WGSL does not compile: broken\.wgsl:5/);
});

gpuTest("createKernel() names the kernel whose override is wrong or missing", async (gpu) => {
  const kernel = /^Kernel head\.wgsl \+ body\.wgsl gives no pipeline: /;
  await assertRefused(gpu, { overrides: { N: 1, M: 1 } }, kernel);
  await assertRefused(gpu, { overrides: {} }, kernel);
  await assertRefused(gpu, { overrides: { N: -1 } }, kernel);
});

gpuTest("createKernel() names the kernel whose bindings don't match the layout", async (gpu) => {
  const kernel = /^Kernel head\.wgsl \+ body\.wgsl gives no pipeline: /;
  await assertRefused(gpu, { groups: [] }, kernel);
  const readOnly = new BindLayout(gpu.device, "read only", { y: "read" });
  await assertRefused(gpu, { groups: [readOnly] }, kernel);
});

gpuTest("createKernel() compiles what it has not compiled, and nothing twice", async (gpu) => {
  const make = async (spec: Partial<KernelSpec>) => {
    const groups = [new BindLayout(gpu.device, "test", { y: "readWrite" })];
    return await createKernel(gpu.device, { files: [HEAD, BODY], groups, overrides: { N: 1 }, ...spec });
  };
  const [first, again] = await Promise.all([make({}), make({})]);
  assert.equal(again.pipeline, first.pipeline);
  assert.notEqual((await make({ overrides: { N: 2 } })).pipeline, first.pipeline);
  assert.equal((await make({ label: "other" })).label, "other");
  const broken = { files: [HEAD, { ...BODY, code: "fn" }] };
  for (let i = 0; i < 2; i++) await assert.rejects(make(broken), { name: "KernelError" });
});

Deno.test("Gpu.assertHealthy() reports a bind group that doesn't fit the kernel", async () => {
  const gpu = await openGpu(); // its own: the error stays with it
  const scratch = new Scratch(gpu);
  const layout = new BindLayout(gpu.device, "one", { y: "readWrite" });
  const other = new BindLayout(gpu.device, "two", { a: "read", b: "read" });
  const kernel = await createKernel(gpu.device, {
    files: [BODY].map(({ name, code }) => ({ name, code: code.replace("= N;", "= 1u;") })),
    groups: [layout],
  });
  const buffer = scratch.upload(new Uint32Array(4));
  const recorder = new Recorder(gpu.device);
  recorder.share(other.bind({ a: buffer, b: buffer }));
  recorder.dispatch(kernel, [], 1);
  recorder.submit();
  await gpu.fence.wait();
  await new Promise((resolve) => setTimeout(resolve)); // errors are events
  assert.throws(() => gpu.assertHealthy(), { name: "KvbenchError", message: /^The GPU reports: / });
  scratch.dispose();
  gpu.dispose();
});

Deno.test("Gpu.dispose() reports a buffer that is still alive", async () => {
  const gpu = await openGpu();
  gpu.ledger.createBuffer({ label: "forgotten", category: "kv", bytes: 16 });
  assert.throws(() => gpu.dispose(), { message: "GPU buffers were leaked: 1 × forgotten (16 bytes)" });
});
