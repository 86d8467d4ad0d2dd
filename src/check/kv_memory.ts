/**
 * K/V memory to check kernels with: slot addresses and bytes are worked out here and not taken from the strategies, so
 * that both are held against a third opinion.
 *
 * @module
 */
import { DEFAULT_DTYPE, type Dtype } from "../formats/registry.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import { writeVectors } from "../gpu/writer.ts";
import { ARENA, CONTIGUOUS, PAGED } from "../kv/files.ts";
import type { KvLayer } from "../kv/layer.ts";
import { KvLayout, type KvSlots } from "../kv/layout.ts";
import type { KvGroups, KvSource } from "../kv/strategy.ts";
import { KvBytes } from "./kv_bytes.ts";
import { download, type Scratch } from "./scratch.ts";
import { shuffledRange } from "./values.ts";

/** What sequences need. */
export interface KvNeed {
  readonly nSequences: number;
  readonly tokensPerSequence: number;
  readonly nHead: number;
  /** Width of K, and of V, in vectors of four. */
  readonly a4: number;
  /** How K and V are stored: in float32, unless told otherwise. */
  readonly dtype?: Dtype;
  /** Whether they are in textures where those can hold them. */
  readonly texels: boolean;
}

/** Where slots are. */
interface Places extends Omit<KvSlots, "most"> {
  /** What `kv_slot()` reads. */
  readonly tableBuffer: LedgerBuffer;
  /** Slots in all, used or not. */
  readonly nSlots: number;
  /** The slot of a token. */
  readonly slot: (sequence: number, position: number) => number;
}

/** One layer's K and V. */
export class KvMemory {
  /** Slots in all, used or not. */
  readonly nSlots: number;
  /** The slot of a token. */
  readonly slot: (sequence: number, position: number) => number;
  /** The bytes that the GPU gets; change them before they are uploaded. */
  readonly bytes: KvBytes;
  readonly #scratch: Scratch;
  readonly #layout: KvLayout;
  readonly #table: LedgerBuffer;
  readonly #shape: { dtype: Dtype; a4: number; nHead: number; slotGroup: number };
  #layer: KvLayer | undefined;

  /** @param byte What every byte is. */
  constructor(
    scratch: Scratch,
    { nSequences, tokensPerSequence, nHead, a4, dtype = DEFAULT_DTYPE, texels }: KvNeed,
    { tableBuffer, nSlots, slot, ...slots }: Places,
    byte: number,
  ) {
    this.#scratch = scratch;
    this.#table = tableBuffer;
    this.nSlots = nSlots;
    this.slot = slot;
    const shape = { nLayer: 1, nHead, a4, dtype, nCtx: tokensPerSequence, nSequences, texels };
    this.#layout = new KvLayout(scratch.gpu, shape, { ...slots, most: nSlots });
    this.#shape = { dtype, a4, nHead, slotGroup: slots.group };
    this.bytes = KvBytes.filled(nSlots, byte, this.#shape);
  }

  /** What the kernels are joined with. */
  get source(): KvSource {
    return this.#layout.source;
  }

  /** Brings the bytes to the GPU. */
  upload(): KvGroups {
    const layer = this.#layer = this.#layout.createLayer("check", this.nSlots);
    this.#scratch.keep(layer);
    const { queue } = this.#scratch.gpu.device;
    writeVectors(queue, layer.kv, 0, this.bytes.values);
    if (layer.scales) writeVectors(queue, layer.scales, 0, this.bytes.scales);
    return this.#layout.bind(layer, this.#table);
  }

  /** Brings them back as the kernels have left them. */
  async download(): Promise<KvBytes> {
    const { kv, scales } = this.#layer!, { gpu } = this.#scratch;
    const values = await download(gpu, kv);
    const own = scales ? await download(gpu, scales) : new Float32Array();
    return new KvBytes(this.nSlots, values.buffer, own.buffer, this.#shape);
  }
}

/** Makes the memory of one layer, of which every byte is `byte`. */
export type MakeKv = (scratch: Scratch, need: KvNeed, byte: number) => KvMemory;

/** One region per sequence. */
export const contiguousKv: MakeKv = (scratch, need, byte) => {
  const { nSequences, tokensPerSequence } = need;
  return new KvMemory(scratch, need, {
    file: CONTIGUOUS,
    table: "uniform",
    tableBuffer: scratch.upload(Uint32Array.of(tokensPerSequence, 0, 0, 0), GPUBufferUsage.UNIFORM),
    group: 16,
    nSlots: nSequences * tokensPerSequence,
    slot: (sequence, position) => sequence * tokensPerSequence + position,
  }, byte);
};

/** One region per sequence, which begins anywhere. */
export const arenaKv: MakeKv = (scratch, need, byte) => {
  const { nSequences, tokensPerSequence } = need;
  const spacing = tokensPerSequence + 3;
  const starts = Uint32Array.from(shuffledRange(nSequences, 1), (place) => place * spacing + 2);
  return new KvMemory(scratch, need, {
    file: ARENA,
    table: "read",
    tableBuffer: scratch.upload(starts),
    group: 8,
    nSlots: nSequences * spacing + 2,
    slot: (sequence, position) => starts[sequence]! + position,
  }, byte);
};

/** Blocks in a random order, with as many unused ones between them. */
export function pagedKv(blockSize: number): MakeKv {
  return (scratch, need, byte) => {
    const { nSequences, tokensPerSequence } = need;
    const maxBlocks = Math.ceil(tokensPerSequence / blockSize);
    const nBlocks = 2 * nSequences * maxBlocks;
    const table = Uint32Array.from(shuffledRange(nBlocks, blockSize).slice(0, nSequences * maxBlocks));
    return new KvMemory(scratch, need, {
      file: PAGED,
      table: "read",
      tableBuffer: scratch.upload(table),
      group: blockSize,
      overrides: { BLOCK_SIZE: blockSize, MAX_BLOCKS: maxBlocks },
      nSlots: nBlocks * blockSize,
      slot: (sequence, position) =>
        table[sequence * maxBlocks + Math.floor(position / blockSize)]! * blockSize + position % blockSize,
    }, byte);
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
