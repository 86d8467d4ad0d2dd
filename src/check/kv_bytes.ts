/**
 * K/V bytes of one layer in each storage type, written and read by code that shares nothing with the kernels.
 *
 * @module
 */
import { type Dtype, formatOf, kvStorage } from "../formats/registry.ts";

/** The shape of the bytes. */
interface KvBytesShape {
  /** Storage type of K and V. */
  readonly dtype: Dtype;
  /** Width of K, and of V, in vectors of four. */
  readonly a4: number;
  readonly nHead: number;
  /** Slots that lie together, head by head. */
  readonly slotGroup: number;
}

/**
 * Rows of heads, of which a slot has one for K and one for V of each head. A group of slots holds the rows of K's
 * first head, slot by slot, then those of its second one, and after the heads of K those of V. A row has D values; scales
 * lie apart in the same order.
 */
export class KvBytes {
  /** [rows][D values]. */
  readonly values: Uint8Array<ArrayBuffer>;
  /** [rows] f32, where the storage type has scales. */
  readonly scales: Uint8Array<ArrayBuffer>;
  readonly #valueView: DataView;
  readonly #scaleView: DataView;
  readonly #shape: KvBytesShape;
  readonly #headDim: number;
  readonly #rowBytes: number;
  readonly #nSlots: number;

  /** Takes whole slots; what is behind them does not matter. */
  constructor(nSlots: number, values: ArrayBuffer, scales: ArrayBuffer, shape: KvBytesShape) {
    this.#shape = shape;
    this.#nSlots = nSlots;
    const d = this.#headDim = 4 * shape.a4 / shape.nHead;
    this.#rowBytes = formatOf(shape.dtype).bytes * d;
    const rows = 2 * shape.nHead * nSlots;
    this.values = new Uint8Array(values, 0, rows * this.#rowBytes);
    this.scales = new Uint8Array(scales, 0, kvStorage(shape.dtype).scaleBytes * rows);
    this.#valueView = new DataView(values);
    this.#scaleView = new DataView(scales);
  }

  /** Slots of which every byte is `byte`. */
  static filled(nSlots: number, byte: number, shape: KvBytesShape): KvBytes {
    const most = 8 * shape.a4 * 4 * nSlots;
    const filled = () => new Uint8Array(most).fill(byte).buffer;
    return new KvBytes(nSlots, filled(), filled(), shape);
  }

  /** Stores a slot's K and V: [2, A4 * 4]. */
  store(slot: number, values: Float32Array): void {
    const d = this.#headDim, storage = kvStorage(this.#shape.dtype);
    this.#rows(slot).forEach((row, head) => {
      const scale = storage.encode(
        values.subarray(head * d, (head + 1) * d),
        this.#valueView,
        row * this.#rowBytes,
      );
      if (this.scales.length > 0) this.#scaleView.setFloat32(4 * row, scale, true);
    });
  }

  /** Returns what a slot's K and V are after they were stored. */
  load(slot: number): Float32Array<ArrayBuffer> {
    const { dtype, a4 } = this.#shape, d = this.#headDim, storage = kvStorage(dtype);
    const rows = this.#rows(slot);
    return Float32Array.from({ length: 8 * a4 }, (_, i) => {
      const row = rows[Math.floor(i / d)]!;
      const scale = this.scales.length > 0 ? this.#scaleView.getFloat32(4 * row, true) : 1;
      return storage.decode(this.#valueView, row * this.#rowBytes, i % d, scale);
    });
  }

  /**
   * Measures how far a slot is from values that were stored there, in units of what the type's rounding explains: at most 1
   * where it is right. A halfway case may be rounded either way.
   */
  error(slot: number, values: Float32Array): number {
    const own = KvBytes.filled(1, 0, this.#shape);
    own.store(0, values);
    const actual = this.load(slot), expected = own.load(0);
    return expected.reduce((most, value, i) => {
      const error = Math.abs(actual[i]! - value);
      if (error === 0) return most;
      return Math.max(
        most,
        Number.isNaN(error) ? Infinity : error / kvStorage(this.#shape.dtype).slack(value, values[i]!),
      );
    }, 0);
  }

  /** Tells whether every byte of a slot is `byte`. */
  isFilledWith(slot: number, byte: number): boolean {
    return this.rowsOf(slot).every((row) => row.every((value) => value === byte));
  }

  /** The bytes of a slot's rows, and of their scales, where they are. */
  rowsOf(slot: number): Uint8Array[] {
    const { scales } = this;
    return this.#rows(slot).flatMap((row) => [
      this.values.subarray(row * this.#rowBytes, (row + 1) * this.#rowBytes),
      ...scales.length > 0 ? [scales.subarray(4 * row, 4 * row + 4)] : [],
    ]);
  }

  /** A slot's rows: [2, H]. */
  #rows(slot: number): number[] {
    const { nHead, slotGroup } = this.#shape;
    const place = slot % slotGroup, first = slot - place;
    const together = Math.min(slotGroup, this.#nSlots - first);
    return Array.from({ length: 2 * nHead }, (_, head) => first * 2 * nHead + head * together + place);
  }
}
