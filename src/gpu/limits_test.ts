import assert from "node:assert/strict";
import type { AdapterFacts } from "./adapter.ts";
import { DEFAULT_LIMITS, FEATURES, LOWEST_LIMITS, requirements } from "./limits.ts";

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

Deno.test("requirements() requests the features that the adapter has, and its limits", () => {
  assert.deepEqual(requirements(ADAPTER, {}), {
    requiredFeatures: ["shader-f16", "timestamp-query"],
    unlistedFeatures: ["subgroups"],
    requiredLimits: {
      ...DEFAULT_LIMITS,
      maxBufferSize: 2 ** 31 - 1,
      maxComputeInvocationsPerWorkgroup: 1024,
    },
  });
});

Deno.test("requirements() omits features that are switched off, and lowers limits down to the defaults", () => {
  const { requiredFeatures } = requirements(ADAPTER, { disabledFeatures: ["shader-f16"] });
  assert.deepEqual(requiredFeatures, ["timestamp-query"]);
  const capped = requirements(ADAPTER, { limits: { maxBufferSize: 2 ** 30 } }).requiredLimits;
  assert.equal(capped.maxBufferSize, 2 ** 30);
  assert.equal(capped.maxComputeInvocationsPerWorkgroup, 1024);
  assert.deepEqual(requirements({ ...ADAPTER, features: FEATURES }, LOWEST_LIMITS), {
    requiredFeatures: [],
    unlistedFeatures: [],
    requiredLimits: DEFAULT_LIMITS,
  });
});

Deno.test("requirements() refuses a limit below its default, and one above the adapter's", () => {
  assert.throws(() => requirements(ADAPTER, { limits: { maxBufferSize: 1 << 20 } }), {
    name: "UsageError",
    message: "The limit maxBufferSize is 1048576: expected at least 268435456, which every WebGPU has",
  });
  assert.throws(() => requirements(ADAPTER, { limits: { maxStorageBuffersPerShaderStage: 9 } }), {
    name: "KvbenchError",
    message: 'The limit maxStorageBuffersPerShaderStage is 9: the adapter "Toy" has at most 8',
  });
});
