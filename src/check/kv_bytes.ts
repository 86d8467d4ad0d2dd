/**
 * K/V bytes of one layer in each storage type, written and read by code that shares nothing with the kernels.
 *
 * @module
 */
import type { Dtype } from "../gpu/dtype.ts";

/** The shape of a row. */
export interface KvRowShape {
  /** How K and V are stored. */
  readonly dtype: Dtype;
  /** Width of K, and of V, in vectors of four. */
  readonly a4: number;
  /** Heads. */
  readonly nHead: number;
}

/** Rows of K, then V: [nSlots, 2, A4 * 4] values and, in int8, [nSlots, 2, H] scales after each row's values. */
export class KvBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #shape: KvRowShape;
  readonly #rowBytes: number;

  /** @param buffer Whole rows. */
  constructor(buffer: ArrayBuffer, shape: KvRowShape) {
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
    this.#shape = shape;
    const width = 8 * shape.a4;
    this.#rowBytes = { f32: 4 * width, f16: 2 * width, int8: width + 8 * shape.nHead }[shape.dtype];
  }

  /** Stores a slot's K and V: [2, A4 * 4]. */
  store(slot: number, values: Float32Array): void {
    const { dtype, a4, nHead } = this.#shape;
    const at = slot * this.#rowBytes, width = 8 * a4;
    if (dtype === "f32") values.forEach((value, i) => this.#view.setFloat32(at + 4 * i, value, true));
    if (dtype === "f16") values.forEach((value, i) => this.#view.setFloat16(at + 2 * i, value, true));
    if (dtype !== "int8") return;
    const perHead = width / (2 * nHead);
    for (let head = 0; head < 2 * nHead; head++) {
      const part = values.subarray(head * perHead, (head + 1) * perHead);
      const scale = Math.fround(Math.max(1e-30, ...part.map(Math.abs)) / 127);
      this.#view.setFloat32(at + width + 4 * head, scale, true);
      part.forEach((value, i) => this.#view.setInt8(at + head * perHead + i, Math.round(value / scale)));
    }
  }

  /** What a slot's K and V are after they were stored. */
  load(slot: number): Float32Array<ArrayBuffer> {
    const { dtype, a4, nHead } = this.#shape;
    const at = slot * this.#rowBytes, width = 8 * a4;
    return Float32Array.from({ length: width }, (_, i) => {
      if (dtype === "f32") return this.#view.getFloat32(at + 4 * i, true);
      if (dtype === "f16") return this.#view.getFloat16(at + 2 * i, true);
      const head = Math.floor(i * 2 * nHead / width);
      return this.#view.getInt8(at + i) * this.#view.getFloat32(at + width + 4 * head, true);
    });
  }

  /**
   * How far a slot is from values that were stored there, in units of what the type's rounding explains: at most 1
   * where it is right. A halfway case may be rounded either way.
   */
  error(slot: number, values: Float32Array): number {
    const own = new KvBytes(new ArrayBuffer(this.#rowBytes), this.#shape);
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
    const row = this.#bytes.subarray(slot * this.#rowBytes, (slot + 1) * this.#rowBytes);
    return row.every((value) => value === byte);
  }
}
