/**
 * K/V memory to check kernels with: addresses are those of the strategies' cases, and bytes are worked out here: neither
 * is taken from a policy or a kernel.
 */
import type { KvDtype } from "../formats/kv_dtype.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import { writeVectors } from "../gpu/writer.ts";
import type { KvLayer } from "../kv/layer.ts";
import { KvLayout } from "../kv/layout.ts";
import { strategies } from "../kv/registry.ts";
import type { KvGroups, KvSource } from "../kv/source.ts";
import type { AddressCase } from "../kv/strategy_def.ts";
import type { KvOutcome, TrialKv } from "../model/trial.ts";
import { KvBytes } from "./kv_bytes.ts";
import { download, type Scratch } from "./scratch.ts";

/** The need of sequences. */
export interface KvNeed extends TrialKv {
  /** True if K and V are in texture storage where that can hold them. */
  readonly texels: boolean;
}

/** One layer's K and V. */
export class KvMemory {
  /** Slots in all, used or not. */
  readonly nSlots: number;
  /** Returns the slot of a token. */
  readonly slot: (sequence: number, position: number) => number;
  /** Returns whether the token at `position` is attended to from the one at `row`. */
  readonly isVisible: (row: number, position: number) => boolean;
  /** The bytes that the GPU gets. */
  readonly bytes: KvBytes;
  readonly #scratch: Scratch;
  readonly #layout: KvLayout;
  readonly #table: LedgerBuffer;
  readonly #shape: { dtype: KvDtype; a4: number; nHead: number; slotGroup: number };
  #layer: KvLayer | undefined;

  /** Stores what the need says; every other byte is poison. */
  constructor(
    scratch: Scratch,
    { nSequences, tokensPerSequence, nHead, a4, dtype, texels, byte, tokens = [] }: KvNeed,
    { lay }: AddressCase,
  ) {
    const { addressing, table, nSlots, slot, isVisible } = lay({ nSequences, tokensPerSequence });
    const { files, slotGroup, overrides } = addressing, isUniform = "slotsPerSequence" in addressing.table;
    this.#scratch = scratch;
    this.#table = isUniform
      ? scratch.upload(Uint32Array.of(...table, 0, 0, 0), GPUBufferUsage.UNIFORM)
      : scratch.upload(Uint32Array.from(table));
    this.nSlots = nSlots;
    this.slot = slot;
    this.isVisible = isVisible ?? ((row, position) => position <= row);
    this.#layout = new KvLayout(scratch.gpu, { nHead, a4, dtype, nSequences, texels }, {
      files,
      table: isUniform ? "uniform" : "read",
      most: nSlots,
      group: slotGroup,
      ...(overrides && { overrides }),
    });
    this.#shape = { dtype, a4, nHead, slotGroup };
    this.bytes = KvBytes.filled(nSlots, byte, this.#shape);
    for (const { sequence, position, values } of tokens) this.bytes.store(slot(sequence, position), values);
  }

  /** The part of the memory in kernels. */
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
      isVisible: this.isVisible,
      load: (slot) => bytes.load(slot),
      error: (slot, expected) => bytes.error(slot, expected),
      isFilledWith: (slot, byte) => bytes.isFilledWith(slot, byte),
    };
  }
}

/** Lists the names of every kind of memory that strategies declare. */
export function kvKinds(): string[] {
  return strategies().flatMap(({ cases }) => cases).map(({ name }) => name);
}

/**
 * Makes K/V memory of the kind that is named.
 *
 * @throws {Error} If no strategy declares it.
 */
export function createKvMemory(scratch: Scratch, need: KvNeed): KvMemory {
  const found = strategies().flatMap(({ cases }) => cases).find(({ name }) => name === need.kind);
  if (found === undefined) throw new Error(`No strategy declares K/V memory "${need.kind}"`);
  return new KvMemory(scratch, need, found);
}
