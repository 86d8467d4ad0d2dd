/** The peers that are compared, in the order of tables. */
import { type Job, type Storage, STORAGES } from "./peer.ts";
import type { WeightsFormat } from "./weights.ts";

/** A program to compare. */
export interface PeerEntry {
  /** As tables and options call it. */
  readonly name: string;
  /** The module that serves it, beside this one. */
  readonly module: string;
  readonly device?: NonNullable<Job["device"]>;
  readonly weightsDtype?: NonNullable<Job["weightsDtype"]>;
  readonly storages: readonly Storage[];
  /** The files that it reads. Default: none, it makes the weights itself. */
  readonly reads?: WeightsFormat;
  /** True if it computes the matrix products alone, and has no logits. */
  readonly productsOnly?: true;
  /** True if it computes nothing, and its times are a bound for those that do. */
  readonly bound?: true;
}

/** kvbench, which the others are related to. */
export const KVBENCH: PeerEntry = { name: "kvbench", module: "kvbench.ts", storages: STORAGES };

/** The least times on kvbench's adapter, which take part in every comparison. */
export const BEST: PeerEntry = {
  name: "adapter's best",
  module: "adapters_best.ts",
  storages: STORAGES,
  bound: true,
};

/** Everything that is compared, kvbench first. */
export const ROSTER: readonly PeerEntry[] = [
  KVBENCH,
  { ...KVBENCH, name: "kvbench w8a8", storages: ["int8"], weightsDtype: "w8a8" },
  { name: "llama.cpp", module: "packages/llama_cpp.ts", storages: STORAGES, reads: "gguf" },
  {
    name: "llama.cpp Vulkan",
    module: "packages/llama_cpp.ts",
    device: "vulkan",
    storages: STORAGES,
    reads: "gguf",
  },
  { name: "onnxruntime-node", module: "packages/onnxruntime_node.ts", storages: STORAGES, reads: "onnx" },
  { name: "onnxruntime-web", module: "packages/onnxruntime_web.ts", storages: STORAGES, reads: "onnx" },
  {
    name: "tfjs products",
    module: "packages/tfjs_webgpu.ts",
    storages: ["f32"],
    reads: "onnx",
    productsOnly: true,
  },
];
