/**
 * K/V memory to check kernels with: slot addresses are worked out here and not taken from the strategies, so that
 * both are held against a third opinion.
 *
 * @module
 */
import { BindLayout } from "../gpu/bind_layout.ts";
import type { Dtype } from "../gpu/dtype.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import { ARENA, CONTIGUOUS, KV_FORMATS, KV_GROUPS, PAGED } from "../kv/files.ts";
import type { KvSource } from "../kv/strategy.ts";
import type { Scratch } from "./scratch.ts";
import { shuffledRange } from "./values.ts";

/** Where K and V lie. */
export interface KvMemory {
  /** What the kernels are joined with. */
  readonly source: KvSource;
  /** Slots in all, used or not. */
  readonly nSlots: number;
  /** Slots that lie together, head by head; the last ones may be fewer. */
  readonly slotGroup: number;
  /** The slot of a token. */
  slot(sequence: number, position: number): number;
  /** `@group(2)` over a buffer of nSlots slots. */
  bind(kv: LedgerBuffer): GPUBindGroup;
}

/** What sequences need. */
export interface KvNeed {
  readonly nSequences: number;
  readonly tokensPerSequence: number;
  /** How K and V are stored: in float32, unless told otherwise. */
  readonly dtype?: Dtype;
}

/** Makes the memory of one layer. */
export type MakeKv = (scratch: Scratch, need: KvNeed) => KvMemory;

/** One region per sequence. */
export function contiguousKv(
  scratch: Scratch,
  { nSequences, tokensPerSequence, dtype = "f32" }: KvNeed,
): KvMemory {
  const layout = new BindLayout(scratch.gpu.device, "kv contiguous", { kv: "readWrite", region: "uniform" });
  const region = scratch.upload(Uint32Array.of(tokensPerSequence, 0, 0, 0), GPUBufferUsage.UNIFORM);
  return {
    source: {
      files: [CONTIGUOUS, KV_GROUPS, KV_FORMATS[dtype]],
      layout,
      overrides: { SLOT_GROUP: 16 },
    },
    slotGroup: 16,
    nSlots: nSequences * tokensPerSequence,
    slot: (sequence, position) => sequence * tokensPerSequence + position,
    bind: (kv) => layout.bind({ kv, region }),
  };
}

/** One region per sequence, which begins anywhere. */
export function arenaKv(
  scratch: Scratch,
  { nSequences, tokensPerSequence, dtype = "f32" }: KvNeed,
): KvMemory {
  const layout = new BindLayout(scratch.gpu.device, "kv arena", { kv: "readWrite", regionStart: "read" });
  const spacing = tokensPerSequence + 3;
  const starts = Uint32Array.from(shuffledRange(nSequences, 1), (place) => place * spacing + 2);
  const regionStart = scratch.upload(starts);
  return {
    source: { files: [ARENA, KV_GROUPS, KV_FORMATS[dtype]], layout, overrides: { SLOT_GROUP: 8 } },
    slotGroup: 8,
    nSlots: nSequences * spacing + 2,
    slot: (sequence, position) => starts[sequence]! + position,
    bind: (kv) => layout.bind({ kv, regionStart }),
  };
}

/** Blocks in a random order, with as many unused ones between them. */
export function pagedKv(blockSize: number): MakeKv {
  return (scratch, { nSequences, tokensPerSequence, dtype = "f32" }) => {
    const maxBlocks = Math.ceil(tokensPerSequence / blockSize);
    const nBlocks = 2 * nSequences * maxBlocks;
    const table = Uint32Array.from(shuffledRange(nBlocks, blockSize).slice(0, nSequences * maxBlocks));
    const layout = new BindLayout(scratch.gpu.device, "kv paged", { kv: "readWrite", blockTable: "read" });
    const blockTable = scratch.upload(table);
    return {
      source: {
        files: [PAGED, KV_GROUPS, KV_FORMATS[dtype]],
        layout,
        overrides: { SLOT_GROUP: blockSize, BLOCK_SIZE: blockSize, MAX_BLOCKS: maxBlocks },
      },
      slotGroup: blockSize,
      nSlots: nBlocks * blockSize,
      slot: (sequence, position) =>
        table[sequence * maxBlocks + Math.floor(position / blockSize)]! * blockSize + position % blockSize,
      bind: (kv) => layout.bind({ kv, blockTable }),
    };
  };
}

/** Every kind of memory. */
export const KV_KINDS: readonly (readonly [name: string, make: MakeKv])[] = [
  ["contiguous", contiguousKv],
  ["arena", arenaKv],
  ["paged by 1", pagedKv(1)],
  ["paged by 3", pagedKv(3)],
  ["paged by 16", pagedKv(16)],
];
