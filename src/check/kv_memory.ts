/**
 * K/V memory to check kernels with: addresses are those of the strategies' cases, and bytes are worked out here: neither
 * is taken from a policy or a kernel.
 *
 * @module
 */
import type { Dtype } from "../gpu/dtype.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import { writeVectors } from "../gpu/writer.ts";
import type { KvLayer } from "../kv/layer.ts";
import { KvLayout } from "../kv/layout.ts";
import { strategies } from "../kv/registry.ts";
import type { KvGroups, KvSource } from "../kv/source.ts";
import type { AddressCase } from "../kv/strategy_def.ts";
import { KvBytes } from "./kv_bytes.ts";
import { download, type Scratch } from "./scratch.ts";

/** What sequences need. */
export interface KvNeed {
  readonly nSequences: number;
  readonly tokensPerSequence: number;
  readonly nHead: number;
  /** Width of K, and of V, in vectors of four. */
  readonly a4: number;
  /** How K and V are stored. Default: f32. */
  readonly dtype?: Dtype;
  /** Whether they are in textures where those can hold them. */
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
  /** The bytes that the GPU gets; change them before they are uploaded. */
  readonly bytes: KvBytes;
  readonly #scratch: Scratch;
  readonly #layout: KvLayout;
  readonly #table: LedgerBuffer;
  readonly #shape: { dtype: Dtype; a4: number; nHead: number; slotGroup: number };
  #layer: KvLayer | undefined;

  /** @param byte The value of every byte. */
  constructor(
    scratch: Scratch,
    { nSequences, tokensPerSequence, nHead, a4, dtype = "f32", texels }: KvNeed,
    { lay }: AddressCase,
    byte: number,
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

/** Returns every kind of memory that strategies declare, by name. */
export function kvKinds(): readonly (readonly [name: string, make: MakeKv])[] {
  return strategies().flatMap(({ cases }) => cases).map((each) =>
    [each.name, (scratch, need, byte) => new KvMemory(scratch, need, each, byte)] as const
  );
}

/**
 * Returns a kind of memory by its name.
 *
 * @throws {Error} If no strategy declares it.
 */
export function kvKind(name: string): MakeKv {
  const found = kvKinds().find(([each]) => each === name);
  if (found === undefined) throw new Error(`No strategy declares K/V memory "${name}"`);
  return found[1];
}
