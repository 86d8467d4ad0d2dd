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
 * first head, slot by slot, then those of its second one, and after the heads of K those of V. A row has D values
 * and, in int8, their scale.
 */
export class KvBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #shape: KvBytesShape;
  readonly #headDim: number;
  readonly #rowBytes: number;
  readonly #nSlots: number;

  /** @param buffer Whole slots. */
  constructor(buffer: ArrayBuffer, shape: KvBytesShape) {
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
    this.#shape = shape;
    const d = this.#headDim = 4 * shape.a4 / shape.nHead;
    this.#rowBytes = { f32: 4 * d, f16: 2 * d, int8: d + 4 }[shape.dtype];
    this.#nSlots = buffer.byteLength / (2 * shape.nHead * this.#rowBytes);
  }

  /** Stores a slot's K and V: [2, A4 * 4]. */
  store(slot: number, values: Float32Array): void {
    const d = this.#headDim;
    this.#rows(slot).forEach((at, head) => {
      const row = values.subarray(head * d, (head + 1) * d);
      switch (this.#shape.dtype) {
        case "f32":
          return row.forEach((value, i) => this.#view.setFloat32(at + 4 * i, value, true));
        case "f16":
          return row.forEach((value, i) => this.#view.setFloat16(at + 2 * i, value, true));
        case "int8": {
          const scale = Math.fround(Math.max(1e-30, ...row.map(Math.abs)) / 127);
          this.#view.setFloat32(at + d, scale, true);
          return row.forEach((value, i) => this.#view.setInt8(at + i, Math.round(value / scale)));
        }
      }
    });
  }

  /** What a slot's K and V are after they were stored. */
  load(slot: number): Float32Array<ArrayBuffer> {
    const { dtype, a4 } = this.#shape, d = this.#headDim;
    const rows = this.#rows(slot);
    return Float32Array.from({ length: 8 * a4 }, (_, i) => {
      const at = rows[Math.floor(i / d)]!, j = i % d;
      if (dtype === "f32") return this.#view.getFloat32(at + 4 * j, true);
      if (dtype === "f16") return this.#view.getFloat16(at + 2 * j, true);
      return this.#view.getInt8(at + j) * this.#view.getFloat32(at + d, true);
    });
  }

  /**
   * How far a slot is from values that were stored there, in units of what the type's rounding explains: at most 1
   * where it is right. A halfway case may be rounded either way.
   */
  error(slot: number, values: Float32Array): number {
    const own = new KvBytes(new ArrayBuffer(2 * this.#shape.nHead * this.#rowBytes), this.#shape);
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

  /** The bytes of a slot's rows, where they are: [2, H][bytes of a row]. */
  rowsOf(slot: number): Uint8Array[] {
    return this.#rows(slot).map((at) => this.#bytes.subarray(at, at + this.#rowBytes));
  }

  /** Where a slot's rows begin: [2, H]. */
  #rows(slot: number): number[] {
    const { nHead, slotGroup } = this.#shape;
    const place = slot % slotGroup, first = slot - place;
    const together = Math.min(slotGroup, this.#nSlots - first);
    return Array.from(
      { length: 2 * nHead },
      (_, head) => (first * 2 * nHead + head * together + place) * this.#rowBytes,
    );
  }
}
