import assert from "node:assert/strict";
import type { AdapterFacts } from "./adapter.ts";
import { DEFAULT_LIMITS, FEATURES, LOWEST, requirements } from "./ladder.ts";

const ADAPTER: AdapterFacts = {
  webgpu: "deno",
  backend: "vulkan",
  description: "Toy",
  vendor: "",
  architecture: "",
  device: "",
  software: true,
  features: ["shader-f16", "timestamp-query", "bgra8unorm-storage"],
  limits: { ...DEFAULT_LIMITS, maxBufferSize: 2 ** 31 - 1, maxComputeInvocationsPerWorkgroup: 1024 },
};

Deno.test("requirements() asks for what is wanted and there, and for all that the adapter has of it", () => {
  assert.deepEqual(requirements(ADAPTER, {}), {
    requiredFeatures: ["shader-f16", "timestamp-query"],
    requiredLimits: {
      ...DEFAULT_LIMITS,
      maxBufferSize: 2 ** 31 - 1,
      maxComputeInvocationsPerWorkgroup: 1024,
    },
  });
});

Deno.test("requirements() leaves out what is switched off, down to the defaults", () => {
  const { requiredFeatures } = requirements(ADAPTER, { disabledFeatures: ["shader-f16"] });
  assert.deepEqual(requiredFeatures, ["timestamp-query"]);
  const capped = requirements(ADAPTER, { limits: { maxBufferSize: 2 ** 30 } }).requiredLimits;
  assert.equal(capped.maxBufferSize, 2 ** 30);
  assert.equal(capped.maxComputeInvocationsPerWorkgroup, 1024);
  assert.deepEqual(requirements({ ...ADAPTER, features: FEATURES }, LOWEST), {
    requiredFeatures: [],
    requiredLimits: DEFAULT_LIMITS,
  });
});

Deno.test("requirements() refuses a limit that no WebGPU has, and one that this adapter hasn't", () => {
  assert.throws(() => requirements(ADAPTER, { limits: { maxBufferSize: 1 << 20 } }), {
    name: "UsageError",
    message: "The limit maxBufferSize is 1048576: every WebGPU has 268435456, wanted no less",
  });
  assert.throws(() => requirements(ADAPTER, { limits: { maxStorageBuffersPerShaderStage: 9 } }), {
    name: "KvbenchError",
    message: 'The limit maxStorageBuffersPerShaderStage is 9: the adapter "Toy" has at most 8',
  });
});
