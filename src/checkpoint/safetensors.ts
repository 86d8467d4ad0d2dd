/**
 * The safetensors format (https://github.com/huggingface/safetensors#format): 8 bytes of header length, a JSON header,
 * then the tensors back to back. Opening reads and checks the header alone; tensors are read on demand. Knows no model.
 */
import { KvbenchError } from "../base/errors.ts";
import type { ByteSource } from "./byte_source.ts";

/** Type, shape and place of a tensor in a safetensors file. */
export interface TensorInfo {
  /** Element type as the format names it, e.g. `F16`. */
  readonly dtype: string;
  /** Dimensions, outermost first. */
  readonly shape: readonly number[];
  /** First byte, from the start of the file. */
  readonly offset: number;
  /** Length of the data in bytes. */
  readonly byteLength: number;
}

/** An open safetensors file. */
export class SafetensorsFile {
  /** The tensors by name, in the header's order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Name of the file in messages. */
  readonly name: string;
  readonly #source: ByteSource;

  private constructor(source: ByteSource, name: string, tensors: ReadonlyMap<string, TensorInfo>) {
    this.#source = source;
    this.name = name;
    this.tensors = tensors;
  }

  /**
   * Reads and checks the header. If this fails, the caller closes the source.
   *
   * @param source The file's bytes.
   * @param name Name of the file in messages.
   * @throws {KvbenchError} If the header is damaged, or doesn't describe every byte of the file exactly once.
   */
  static async open(source: ByteSource, name: string): Promise<SafetensorsFile> {
    const prefix = source.size < PREFIX_BYTES ? undefined : await source.read(0, PREFIX_BYTES);
    if (prefix === undefined) {
      throw unusable(name, `it has ${source.size} bytes, expected a header of at least ${PREFIX_BYTES}`);
    }
    const headerBytes = prefix.reduceRight((sum, byte) => sum * 256 + byte, 0);
    const dataStart = PREFIX_BYTES + headerBytes;
    if (dataStart > source.size) {
      throw unusable(
        name,
        `its header of ${headerBytes} bytes ends beyond the file of ${source.size}, it is truncated or not safetensors`,
      );
    }
    if (headerBytes > MAX_HEADER_BYTES) {
      throw unusable(name, `its header has ${headerBytes} bytes, expected at most ${MAX_HEADER_BYTES}`);
    }
    const header = parseHeader(await source.read(PREFIX_BYTES, headerBytes), name);
    const tensors = new Map<string, TensorInfo>();
    for (const [tensor, entry] of Object.entries(header)) {
      if (tensor !== "__metadata__") tensors.set(tensor, parseEntry(entry, { dataStart, tensor, name }));
    }
    checkLayout(tensors, { dataStart, fileEnd: source.size, name });
    return new SafetensorsFile(source, name, tensors);
  }

  /**
   * Reads a tensor as float32, its elements in row-major order.
   *
   * @param tensor A name in {@linkcode tensors}, of F32, F16 or BF16.
   * @param rows Rows of its first dimension. Default: all.
   * @throws {KvbenchError} If there is no such tensor, its type is another one, or the file can't be read.
   */
  async readF32(tensor: string, rows?: RowRange): Promise<Float32Array<ArrayBuffer>> {
    const info = this.tensors.get(tensor);
    if (info === undefined) throw unusable(this.name, `it has no tensor ${quote(tensor)}`);
    const convert = TO_F32.get(info.dtype);
    if (convert === undefined) {
      throw unusable(this.name, `tensor ${quote(tensor)} is ${info.dtype}, expected ${FLOAT_DTYPES}`);
    }
    const bytes = await this.#source.read(...byteRange(info, rows));
    // A typed array's elements must be aligned in its buffer, which a view of a larger one doesn't promise.
    const whole = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
    const values = convert(whole.buffer);
    // Freed now: the garbage collector would let it pile up.
    if (values.buffer !== whole.buffer) whole.buffer.transfer(0);
    return values;
  }

  /**
   * SHA-256 of the whole file, in hex.
   *
   * @throws {KvbenchError} If the file can't be read.
   */
  sha256(): Promise<string> {
    return this.#source.sha256();
  }

  close(): void {
    this.#source.close();
  }
}

/** Consecutive rows of a tensor: entries of its first dimension. */
export interface RowRange {
  /** Index of the first row. */
  readonly first: number;
  /** Number of rows. */
  readonly count: number;
}

/** Returns the place of a tensor's bytes, or of some of its rows, in the file. */
function byteRange(
  { offset, byteLength, shape }: TensorInfo,
  rows?: RowRange,
): [offset: number, length: number] {
  if (!rows) return [offset, byteLength];
  const rowBytes = byteLength / shape[0]!;
  return [offset + rows.first * rowBytes, rows.count * rowBytes];
}

/** Tells whether {@linkcode SafetensorsFile.readF32} reads an element type. */
export function isFloatDtype(dtype: string): boolean {
  return TO_F32.has(dtype);
}

/** Element types that {@linkcode SafetensorsFile.readF32} reads, for messages. */
export const FLOAT_DTYPES = "F32, F16 or BF16";

const PREFIX_BYTES = 8;
/** Limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;

/** Bytes of an element, for the types of the format that fill whole bytes. */
const DTYPE_BYTES: ReadonlyMap<string, number> = new Map([
  ...["BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"].map((name) => [name, 1] as const),
  ...["U16", "I16", "F16", "BF16"].map((name) => [name, 2] as const),
  ...["U32", "I32", "F32"].map((name) => [name, 4] as const),
  ...["U64", "I64", "F64", "C64"].map((name) => [name, 8] as const),
]);

/** Conversions to float32 by type. The format is little-endian, as all of Deno's platforms are. */
const TO_F32: ReadonlyMap<string, (bytes: ArrayBuffer) => Float32Array<ArrayBuffer>> = new Map([
  ["F32", (bytes: ArrayBuffer) => new Float32Array(bytes)],
  ["F16", (bytes: ArrayBuffer) => new Float32Array(new Float16Array(bytes))],
  ["BF16", (bytes: ArrayBuffer) => {
    // A bfloat16 is the upper half of a float32.
    const halves = new Uint16Array(bytes);
    const bits = new Uint32Array(halves.length);
    for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
    return new Float32Array(bits.buffer);
  }],
]);

function parseHeader(bytes: Uint8Array<ArrayBuffer>, name: string): object {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw unusable(name, "its header is not JSON");
  }
  if (!isObject(header)) throw unusable(name, "its header is not a JSON object");
  return header;
}

function parseEntry(
  entry: unknown,
  { dataStart, tensor, name }: { dataStart: number; tensor: string; name: string },
): TensorInfo {
  const { dtype, shape, data_offsets: offsets } = isObject(entry) ? entry : {};
  const where = `tensor ${quote(tensor)}`;
  if (typeof dtype !== "string") throw unusable(name, `${where} has no dtype`);
  const elementBytes = DTYPE_BYTES.get(dtype);
  if (elementBytes === undefined) throw unusable(name, `${where} has the unknown dtype ${quote(dtype)}`);
  if (!isCounts(shape)) throw unusable(name, `${where} has no shape, expected a list of dimensions`);
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw unusable(name, `${where} has no data_offsets, expected its first byte and its end`);
  }
  const [begin = 0, end = 0] = offsets;
  const byteLength = shape.reduce((product, n) => product * n, elementBytes);
  if (end - begin !== byteLength) {
    throw unusable(
      name,
      `${where} is ${dtype} [${shape.join(", ")}] in ${end - begin} bytes, expected ${byteLength}`,
    );
  }
  return { dtype, shape, offset: dataStart + begin, byteLength };
}

/** Checks that tensors fill the data section without gaps, so that each byte has exactly one meaning. */
function checkLayout(
  tensors: ReadonlyMap<string, TensorInfo>,
  { dataStart, fileEnd, name }: { dataStart: number; fileEnd: number; name: string },
): void {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.byteLength - b.byteLength);
  let end = dataStart;
  for (const [tensor, { offset, byteLength }] of inOrder) {
    const where = `tensor ${quote(tensor)}`;
    if (offset < end) throw unusable(name, `${where} overlaps the tensor before it`);
    if (offset > end) throw unusable(name, `${offset - end} bytes before ${where} belong to no tensor`);
    end = offset + byteLength;
    if (end > fileEnd) {
      throw unusable(name, `${where} ends at byte ${end} of ${fileEnd}, the file is truncated`);
    }
  }
  if (end < fileEnd) throw unusable(name, `its last ${fileEnd - end} bytes belong to no tensor`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** Quotes a name from the file for a one-line message. */
function quote(text: string): string {
  return JSON.stringify(text.length <= 80 ? text : `${text.slice(0, 77)}...`);
}

/** Makes the error for a file of a checkpoint. */
export function unusable(name: string, reason: string): KvbenchError {
  return new KvbenchError(`Cannot use ${name}: ${reason}`);
}
