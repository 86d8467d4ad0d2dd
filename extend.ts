/**
 * For those who add to kvbench: strategies, and storage types of weights, K and V, of one's own. Every command knows them
 * once they are registered: call `main()` of `mod.ts` afterwards.
 *
 * `examples/own_strategy.ts` is the shortest; `docs/adding-a-strategy.md` and `docs/adding-a-format.md` explain each part.
 *
 * @module
 */

// Add a strategy.
export { register, strategyNamed } from "./src/kv/registry.ts";
export type {
  AddressCase,
  DefaultComparison,
  Kv,
  KvAddressing,
  KvNeed,
  StrategyDef,
} from "./src/kv/strategy_def.ts";
export type { KvOption, KvOptions, KvValue } from "./src/kv/strategy_def.ts";
export type { Admission, KvPolicy, KvTraits, KvUsage, Lengths } from "./src/kv/policy.ts";
export type { ReadSlots } from "./src/kv/source.ts";
export type { PrefixKey } from "./src/kv/prefix_keys.ts";
export { type Move, Moves, type SlotRange, type Swapped } from "./src/kv/moves.ts";
export { RegionPolicy } from "./src/kv/region_policy.ts";
export type { WgslFile } from "./src/gpu/wgsl.ts";

// Add a storage type.
export { registerFormat } from "./src/formats/registry.ts";
export type { InputRounding, KvStorage, Packed, StorageFormat, WeightStorage } from "./src/formats/format.ts";
export type { MatrixSource, PackedShape } from "./src/formats/tiles.ts";
