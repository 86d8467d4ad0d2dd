/**
 * K/V memory to check kernels with: slot addresses and bytes are worked out here and not taken from the strategies, so
 * that both are held against a third opinion.
 *
 * @module
 */
import type { Dtype } from "../formats/registry.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import { writeVectors } from "../gpu/writer.ts";
import { ARENA, CONTIGUOUS, PAGED } from "../kv/files.ts";
import type { KvLayer } from "../kv/layer.ts";
import { KvLayout, type KvSlots } from "../kv/layout.ts";
import type { KvGroups, KvSource } from "../kv/strategy.ts";
import type { KvOutcome, TrialKv } from "../model/trial.ts";
import { shuffledRange } from "../model/values.ts";
import { KvBytes } from "./kv_bytes.ts";
import { download, type Scratch } from "./scratch.ts";

/** What sequences need. */
export interface KvNeed extends TrialKv {
  /** Whether K and V are in texture storage where that can hold them. */
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
  /** The bytes that the GPU gets. */
  readonly bytes: KvBytes;
  readonly #scratch: Scratch;
  readonly #layout: KvLayout;
  readonly #table: LedgerBuffer;
  readonly #shape: { dtype: Dtype; a4: number; nHead: number; slotGroup: number };
  #layer: KvLayer | undefined;

  /** Stores what the need says; every other byte is poison. */
  constructor(
    scratch: Scratch,
    { nSequences, tokensPerSequence, nHead, a4, dtype, texels, byte, tokens = [] }: KvNeed,
    { tableBuffer, nSlots, slot, ...slots }: Places,
  ) {
    this.#scratch = scratch;
    this.#table = tableBuffer;
    this.nSlots = nSlots;
    this.slot = slot;
    const shape = { nLayer: 1, nHead, a4, dtype, nCtx: tokensPerSequence, nSequences, texels };
    this.#layout = new KvLayout(scratch.gpu, shape, { ...slots, most: nSlots });
    this.#shape = { dtype, a4, nHead, slotGroup: slots.group };
    this.bytes = KvBytes.filled(nSlots, byte, this.#shape);
    for (const { sequence, position, values } of tokens) this.bytes.store(slot(sequence, position), values);
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
  async outcome(): Promise<KvOutcome> {
    const { kv, scales } = this.#layer!, { gpu } = this.#scratch;
    const values = await download(gpu, kv);
    const own = scales ? await download(gpu, scales) : new Float32Array();
    const bytes = new KvBytes(this.nSlots, values.buffer, own.buffer, this.#shape);
    return {
      nSlots: this.nSlots,
      slot: this.slot,
      load: (slot) => bytes.load(slot),
      error: (slot, expected) => bytes.error(slot, expected),
      isFilledWith: (slot, byte) => bytes.isFilledWith(slot, byte),
    };
  }
}

/** Makes the memory of one layer. */
type MakeKv = (scratch: Scratch, need: KvNeed) => KvMemory;

/** One region per sequence. */
const contiguousKv: MakeKv = (scratch, need) => {
  const { nSequences, tokensPerSequence } = need;
  return new KvMemory(scratch, need, {
    file: CONTIGUOUS,
    table: "uniform",
    tableBuffer: scratch.upload(Uint32Array.of(tokensPerSequence, 0, 0, 0), GPUBufferUsage.UNIFORM),
    group: 16,
    nSlots: nSequences * tokensPerSequence,
    slot: (sequence, position) => sequence * tokensPerSequence + position,
  });
};

/** One region per sequence, which begins anywhere. */
const arenaKv: MakeKv = (scratch, need) => {
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
  });
};

/** Blocks in a random order, with as many unused ones between them. */
function pagedKv(blockSize: number): MakeKv {
  return (scratch, need) => {
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
    });
  };
}

/** Every kind of memory, by its name. */
const KINDS: Readonly<Record<string, MakeKv>> = {
  "contiguous": contiguousKv,
  "arena": arenaKv,
  "paged by 1": pagedKv(1),
  "paged by 3": pagedKv(3),
  "paged by 16": pagedKv(16),
};

/** Names of the kinds of memory. */
export const KV_KINDS: readonly string[] = Object.keys(KINDS);

/** Makes K/V memory of the kind that is named. */
export function createKvMemory(scratch: Scratch, need: KvNeed): KvMemory {
  const make = KINDS[need.kind];
  if (!make) throw new Error(`K/V memory ${need.kind} is unknown: expected one of ${KV_KINDS.join(", ")}`);
  return make(scratch, need);
}
