/**
 * K/V memory for kernel tests, with slot addresses worked out here and not taken from the strategies, so that
 * both are held against a third opinion.
 *
 * @module
 */
import contiguousCode from "../wgsl/kv_contiguous.wgsl" with { type: "text" };
import pagedCode from "../wgsl/kv_paged.wgsl" with { type: "text" };
import { BindLayout } from "../src/gpu/bind_layout.ts";
import type { LedgerBuffer } from "../src/gpu/ledger.ts";
import type { KvSource } from "../src/kv/strategy.ts";
import type { Dtype } from "../src/gpu/dtype.ts";
import { KV_FORMATS } from "../src/kv/files.ts";
import { type Scratch, shuffledRange } from "./gpu_support.ts";

/** Where K and V of a test lie. */
export interface KvMemory {
  readonly source: KvSource;
  readonly nSlots: number;
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
      files: [{ name: "kv_contiguous.wgsl", code: contiguousCode }, KV_FORMATS[dtype]],
      layout,
      overrides: {},
    },
    nSlots: nSequences * tokensPerSequence,
    slot: (sequence, position) => sequence * tokensPerSequence + position,
    bind: (kv) => layout.bind({ kv, region }),
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
        files: [{ name: "kv_paged.wgsl", code: pagedCode }, KV_FORMATS[dtype]],
        layout,
        overrides: { BLOCK_SIZE: blockSize, MAX_BLOCKS: maxBlocks },
      },
      nSlots: nBlocks * blockSize,
      slot: (sequence, position) =>
        table[sequence * maxBlocks + Math.floor(position / blockSize)]! * blockSize + position % blockSize,
      bind: (kv) => layout.bind({ kv, blockTable }),
    };
  };
}

/** Every kind of memory that kernels are tested with. */
export const KV_KINDS: readonly (readonly [name: string, make: MakeKv])[] = [
  ["contiguous", contiguousKv],
  ["paged by 1", pagedKv(1)],
  ["paged by 3", pagedKv(3)],
  ["paged by 16", pagedKv(16)],
];
