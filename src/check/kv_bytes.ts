/**
 * K/V bytes of one layer in each storage type, written and read by code that shares nothing with the kernels.
 *
 * @module
 */
import type { Dtype } from "../gpu/dtype.ts";

/** What the bytes hold. */
export interface KvBytesShape {
  /** How K and V are stored. */
  readonly dtype: Dtype;
  /** Width of K, and of V, in vectors of four. */
  readonly a4: number;
  /** Heads. */
  readonly nHead: number;
  /** Slots that lie together, head by head. */
  readonly slotGroup: number;
}

/**
 * Rows of heads, of which a slot has one for K and one for V of each head. A group of slots holds the rows of K's
 * first head, slot by slot, then those of its second one, and after the heads of K those of V. A row has D values; in
 * int8, scales lie apart in the same order.
 */
export class KvBytes {
  /** [rows][D values]. */
  readonly values: Uint8Array<ArrayBuffer>;
  /** [rows] f32 in int8; nothing otherwise. */
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
    this.#rowBytes = { f32: 4 * d, f16: 2 * d, int8: d }[shape.dtype];
    const rows = 2 * shape.nHead * nSlots;
    this.values = new Uint8Array(values, 0, rows * this.#rowBytes);
    this.scales = new Uint8Array(scales, 0, shape.dtype === "int8" ? 4 * rows : 0);
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
    const d = this.#headDim, view = this.#valueView;
    this.#rows(slot).forEach((rowIndex, head) => {
      const at = rowIndex * this.#rowBytes;
      const row = values.subarray(head * d, (head + 1) * d);
      switch (this.#shape.dtype) {
        case "f32":
          return row.forEach((value, i) => view.setFloat32(at + 4 * i, value, true));
        case "f16":
          return row.forEach((value, i) => view.setFloat16(at + 2 * i, value, true));
        case "int8": {
          const scale = Math.fround(Math.max(1e-30, ...row.map(Math.abs)) / 127);
          this.#scaleView.setFloat32(4 * rowIndex, scale, true);
          return row.forEach((value, i) => view.setInt8(at + i, Math.round(value / scale)));
        }
      }
    });
  }

  /** What a slot's K and V are after they were stored. */
  load(slot: number): Float32Array<ArrayBuffer> {
    const { dtype, a4 } = this.#shape, d = this.#headDim, view = this.#valueView;
    const rows = this.#rows(slot);
    return Float32Array.from({ length: 8 * a4 }, (_, i) => {
      const row = rows[Math.floor(i / d)]!, at = row * this.#rowBytes, j = i % d;
      if (dtype === "f32") return view.getFloat32(at + 4 * j, true);
      if (dtype === "f16") return view.getFloat16(at + 2 * j, true);
      return view.getInt8(at + j) * this.#scaleView.getFloat32(4 * row, true);
    });
  }

  /**
   * How far a slot is from values that were stored there, in units of what the type's rounding explains: at most 1
   * where it is right. A halfway case may be rounded either way.
   */
  error(slot: number, values: Float32Array): number {
    const own = KvBytes.filled(1, 0, this.#shape);
    own.store(0, values);
    const actual = this.load(slot), expected = own.load(0);
    return expected.reduce((most, value, i) => {
      const error = Math.abs(actual[i]! - value);
      if (error === 0) return most;
      return Math.max(most, Number.isNaN(error) ? Infinity : error / this.#slack(value, values[i]!));
    }, 0);
  }

  /** How far from the stored `value` another rounding of `exact` may lie. */
  #slack(value: number, exact: number): number {
    const { dtype } = this.#shape;
    if (dtype === "f32") return 0;
    const step = dtype === "int8" ? 1 / 127 : Math.abs(value) * 2 ** -10;
    return Math.abs(value - exact) > 0.49 * step ? step * 1.01 : 1e-6 * Math.abs(value);
  }

  /** Whether every byte of a slot is `byte`. */
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
