/**
 * The memory of a layer's K and V, and the way of kernels to it: a buffer, or in a texture whose rows are as long
 * as a slot, so that both take the same bytes. Owns that choice and the bind groups; whose the slots are is decided
 * elsewhere.
 */
import { type Access, BindLayout } from "../gpu/bind_layout.ts";
import { isStoredByVector, kvStorages } from "../formats/kv_dtype.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { WgslFile } from "../gpu/wgsl.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import { TEXEL_BYTES } from "../gpu/texels.ts";
import { storageFiles } from "./files.ts";
import { KvLayer } from "./layer.ts";
import { isWholeTexels, type KvHeadBytes, kvHeadBytes, type KvShape } from "./shape.ts";
import type { KvGroups, KvSides, KvSource, ReadSlots } from "./source.ts";

/** The way in which slots are found, and their number. */
interface KvSlots {
  /** WGSL that defines `kv_slot()`, `kv_entries()` and `kv_visible()`. */
  readonly files: readonly WgslFile[];
  /** Access to the table that it uses. */
  readonly table: "uniform" | "read";
  /** The most slots of a layer. */
  readonly most: number;
  /** Slots that lie together, head by head: see `kv_groups.wgsl`. */
  readonly group: number;
  /** Overrides that the file declares. */
  readonly overrides?: Readonly<Record<string, number>>;
  /** The memory that attention reads. Default: where tokens are stored. */
  readonly read?: ReadSlots | undefined;
}

/** Slots of a layer from `first` on. */
interface LayerSlots {
  /** The layer. */
  readonly layer: KvLayer;
  /** The first of the slots. */
  readonly first: number;
}

/** A layer, and the table of its slots. */
interface BoundSlots {
  /** The layer. */
  readonly layer: KvLayer;
  /** The table that `kv_slot()` uses. */
  readonly table: LedgerBuffer;
}

/** The form of every layer's K and V. */
export class KvLayout {
  /** The strategy's part in the kernels that touch K and V. */
  readonly source: KvSource;
  /** Bytes of a head of K, and of one of V. */
  readonly headBytes: readonly [KvHeadBytes, KvHeadBytes];
  /** Bytes of a slot's values in one layer. */
  readonly valueBytes: number;
  /** Bytes of a slot's scales in one layer. */
  readonly scaleBytes: number;
  /** True if values are in textures. */
  readonly texels: boolean;
  readonly #gpu: Gpu;
  readonly #layouts: KvSides<BindLayout>;

  /**
   * Chooses textures if the shape asks for them and they can hold it: each head's values have to be whole texels, and
   * there is one texture row for each slot.
   */
  constructor(
    gpu: Gpu,
    shape: KvShape,
    { files: address, table, most, group, overrides, read: elsewhere }: KvSlots,
  ) {
    this.#gpu = gpu;
    const [k, v] = this.headBytes = kvHeadBytes(shape);
    this.valueBytes = shape.nHead * (k.values + v.values);
    this.scaleBytes = shape.nHead * (k.scale + v.scale);
    const { maxTextureDimension2D } = gpu.device.limits;
    this.texels = shape.texels && isWholeTexels(shape) &&
      Math.max(most, this.valueBytes / TEXEL_BYTES) <= maxTextureDimension2D;
    const files = (side: "read" | "write", address: readonly WgslFile[]) => [
      ...address,
      ...storageFiles(shape.dtype, this.texels ? "texels" : "buffer", side),
    ];
    const layout = (label: string, kv: Access, table: Access, scales: Access) =>
      new BindLayout<string>(gpu.device, label, this.scaleBytes > 0 ? { kv, table, scales } : { kv, table });
    const read = elsewhere ?? { files: address, table };
    this.#layouts = {
      read: layout("kv read", this.texels ? "readTexels" : "read", read.table, "read"),
      write: layout("kv write", this.texels ? "writeTexels" : "readWrite", table, "readWrite"),
    };
    const all = { SLOT_GROUP: group, ...overrides };
    this.source = {
      files: { read: files("read", read.files), write: files("write", address) },
      layouts: this.#layouts,
      overrides: { read: elsewhere ? { SLOT_GROUP: group } : all, write: all },
      headBytes: this.headBytes,
      rotates: kvStorages(shape.dtype).map(({ rotates = false }) => rotates) as [boolean, boolean],
      inPassing: isStoredByVector(shape.dtype, this),
    };
  }

  /** Bytes of a slot in one layer. */
  get slotBytes(): number {
    return this.valueBytes + this.scaleBytes;
  }

  /**
   * Allocates a layer.
   *
   * @throws {KvbenchError} If it is larger than the device allows.
   */
  createLayer(label: string, nSlots: number): KvLayer {
    const { ledger } = this.#gpu, { valueBytes, scaleBytes } = this;
    const spec = { label, category: "kv", bytes: nSlots * valueBytes } as const;
    const kv = this.texels
      ? ledger.createTexels({ ...spec, rowBytes: valueBytes })
      : ledger.createBuffer(spec);
    if (scaleBytes === 0) return new KvLayer(kv, undefined);
    const scales = { label: `${label} scales`, category: "kv", bytes: nSlots * scaleBytes } as const;
    return new KvLayer(kv, ledger.createBuffer(scales));
  }

  /**
   * Binds a layer for kernels, with the table that `kv_slot()` uses.
   *
   * @param read What attention reads. Default: the same.
   */
  bind(layer: KvLayer, table: LedgerBuffer, read: BoundSlots = { layer, table }): KvGroups {
    const bound = ({ layer: { kv, scales }, table }: BoundSlots) => ({
      kv,
      table,
      ...(scales && { scales }),
    });
    return {
      read: this.#layouts.read.bind(bound(read)),
      write: this.#layouts.write.bind(bound({ layer, table })),
    };
  }

  /** Records a copy of slots from one layer's memory to another's; each slot is a group of its own. */
  copySlots(encoder: GPUCommandEncoder, from: LayerSlots, to: LayerSlots, count: number): void {
    const copy = (source: LedgerBuffer, target: LedgerBuffer, bytes: number) =>
      encoder.copyBufferToBuffer(
        source.buffer,
        from.first * bytes,
        target.buffer,
        to.first * bytes,
        count * bytes,
      );
    const source = from.layer.kv, target = to.layer.kv;
    if ("texture" in source && "texture" in target) {
      encoder.copyTextureToTexture(
        { texture: source.texture, origin: [0, from.first] },
        { texture: target.texture, origin: [0, to.first] },
        [this.valueBytes / TEXEL_BYTES, count],
      );
    } else if ("buffer" in source && "buffer" in target) {
      copy(source, target, this.valueBytes);
    } else {
      throw new Error("K and V are copied between a buffer and a texture: expected two of a kind");
    }
    if (from.layer.scales && to.layer.scales) copy(from.layer.scales, to.layer.scales, this.scaleBytes);
  }
}
