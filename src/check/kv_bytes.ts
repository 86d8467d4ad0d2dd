/**
 * K/V bytes of one layer in each storage type, written and read by code that shares nothing with the kernels.
 */
import { type KvDtype, kvStorages, partsOf } from "../formats/kv_dtype.ts";
import { formatOf } from "../formats/registry.ts";

/** The shape of the bytes. */
interface KvBytesShape {
  /** Storage types of K and V. */
  readonly dtype: KvDtype;
  /** Width of K, and of V, in vectors of four. */
  readonly a4: number;
  readonly nHead: number;
  /** Slots that lie together, head by head. */
  readonly slotGroup: number;
}

/** A head's K or V of a slot: where its bytes are, and those of its scale. */
interface Head {
  readonly part: 0 | 1;
  readonly at: number;
  readonly bytes: number;
  readonly scaleAt: number;
  readonly scaleBytes: number;
}

/**
 * Slots with K and V of each head. Memory has a line for each slot: K of H heads, then V of H heads. A group of slots
 * fills its lines in reading order: on K's side its first head, slot by slot, then its second one, and likewise on
 * V's. Scales lie apart in the same order, those of the parts that have some.
 */
export class KvBytes {
  /** [slots][H heads of K, H heads of V]. */
  readonly values: Uint8Array<ArrayBuffer>;
  /** f32 in the same order, where a storage type has scales. */
  readonly scales: Uint8Array<ArrayBuffer>;
  readonly #valueView: DataView;
  readonly #scaleView: DataView;
  readonly #shape: KvBytesShape;
  readonly #headDim: number;
  readonly #nSlots: number;

  /** Takes whole slots; what is behind them does not matter. */
  constructor(nSlots: number, values: ArrayBuffer, scales: ArrayBuffer, shape: KvBytesShape) {
    this.#shape = shape;
    this.#nSlots = nSlots;
    this.#headDim = 4 * shape.a4 / shape.nHead;
    const heads = shape.nHead * nSlots, sum = ([k, v]: readonly [number, number]) => heads * (k + v);
    this.values = new Uint8Array(values, 0, sum(this.#valueBytes()));
    this.scales = new Uint8Array(scales, 0, sum(this.#scaleBytes()));
    this.#valueView = new DataView(values);
    this.#scaleView = new DataView(scales);
  }

  /** Slots of which every byte is `byte`. */
  static filled(nSlots: number, byte: number, shape: KvBytesShape): KvBytes {
    const most = 8 * shape.a4 * 4 * nSlots;
    const filled = () => new Uint8Array(most).fill(byte).buffer;
    return new KvBytes(nSlots, filled(), filled(), shape);
  }

  /** Stores a slot's K and V as they are given, rotated or not: [2, A4 * 4]. */
  store(slot: number, values: Float32Array): void {
    const d = this.#headDim, storages = kvStorages(this.#shape.dtype);
    this.#heads(slot).forEach(({ part, at, scaleAt, scaleBytes }, head) => {
      const scale = storages[part].encode(values.subarray(head * d, (head + 1) * d), this.#valueView, at);
      if (scaleBytes > 0) this.#scaleView.setFloat32(scaleAt, scale, true);
    });
  }

  /** Returns what a slot's K and V are after they were stored. */
  load(slot: number): Float32Array<ArrayBuffer> {
    const { dtype, a4 } = this.#shape, d = this.#headDim, storages = kvStorages(dtype);
    const heads = this.#heads(slot);
    return Float32Array.from({ length: 8 * a4 }, (_, i) => {
      const { part, at, scaleAt, scaleBytes } = heads[Math.floor(i / d)]!;
      const scale = scaleBytes > 0 ? this.#scaleView.getFloat32(scaleAt, true) : 1;
      return storages[part].decode(this.#valueView, at, i % d, scale);
    });
  }

  /**
   * Measures how far a slot is from values that were stored there, in units of what the type's rounding explains: at most 1
   * where it is right. A halfway case may be rounded either way.
   */
  error(slot: number, values: Float32Array): number {
    const own = KvBytes.filled(1, 0, this.#shape), storages = kvStorages(this.#shape.dtype);
    own.store(0, values);
    const actual = this.load(slot), expected = own.load(0), half = expected.length / 2;
    return expected.reduce((most, value, i) => {
      const error = Math.abs(actual[i]! - value);
      if (error === 0) return most;
      const slack = storages[i < half ? 0 : 1].slack(value, values[i]!);
      return Math.max(most, Number.isNaN(error) ? Infinity : error / slack);
    }, 0);
  }

  /** Tells whether every byte of a slot is `byte`. */
  isFilledWith(slot: number, byte: number): boolean {
    return this.headsOf(slot).every((head) => head.every((value) => value === byte));
  }

  /** The bytes of a slot's heads, and of their scales, where they are. */
  headsOf(slot: number): Uint8Array[] {
    return this.#heads(slot).flatMap(({ at, bytes, scaleAt, scaleBytes }) => [
      this.values.subarray(at, at + bytes),
      ...scaleBytes > 0 ? [this.scales.subarray(scaleAt, scaleAt + scaleBytes)] : [],
    ]);
  }

  #valueBytes(): [k: number, v: number] {
    const [k, v] = partsOf(this.#shape.dtype).map((dtype) => this.#headDim * formatOf(dtype).bytes);
    return [k!, v!];
  }

  #scaleBytes(): [k: number, v: number] {
    const [k, v] = kvStorages(this.#shape.dtype);
    return [k.scaleBytes, v.scaleBytes];
  }

  /** A slot's heads: [2, H]. */
  #heads(slot: number): Head[] {
    const { nHead, slotGroup } = this.#shape, values = this.#valueBytes(), scales = this.#scaleBytes();
    const place = slot % slotGroup, first = slot - place;
    const together = Math.min(slotGroup, this.#nSlots - first);
    return ([0, 1] as const).flatMap((part) =>
      Array.from({ length: nHead }, (_, head) => {
        const nth = first * nHead + head * together + place;
        const line = Math.floor(nth / nHead), column = nth % nHead;
        const at = ([k, v]: readonly [number, number]) =>
          line * nHead * (k + v) + part * nHead * k + column * [k, v][part]!;
        return {
          part,
          at: at(values),
          bytes: values[part],
          scaleAt: at(scales),
          scaleBytes: scales[part],
        };
      })
    );
  }
}
