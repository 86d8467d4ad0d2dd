/**
 * Random access to bytes, wherever they are: the interface through which checkpoints are read, and an implementation
 * for bytes in memory. Files on disk are another (`host/files.ts`). Knows no format.
 */
import { KvbenchError } from "../base/errors.ts";
import { sha256Hex } from "../base/sha256.ts";

/** Bytes that can be read at any offset. */
export interface ByteSource {
  /** Length in bytes when the source was opened. */
  readonly size: number;
  /**
   * Reads `length` bytes at `offset` into memory that the caller owns.
   *
   * @throws {KvbenchError} If the range isn't inside the source, or can't be read.
   */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Hashes all bytes.
   *
   * @returns Their SHA-256 in hex.
   * @throws {KvbenchError} If they can't be read.
   */
  sha256(): Promise<string>;
  /** Gives the file handle back. Closing twice does nothing. */
  close(): void;
}

/** Wraps bytes in memory. They must not change while the source is in use. */
export function memorySource(bytes: Uint8Array<ArrayBuffer>): ByteSource {
  return {
    size: bytes.byteLength,
    // deno-lint-ignore require-await -- the message must be a rejection, not an exception
    read: async (offset, length) => {
      checkRange(offset, length, bytes.byteLength, "bytes in memory");
      return bytes.slice(offset, offset + length);
    },
    sha256: () => sha256Hex(bytes),
    close: () => {},
  };
}

/**
 * Checks a range before it is read.
 *
 * @param size Bytes of the whole.
 * @param name What the message calls it.
 * @throws {KvbenchError} If the range is not inside.
 */
export function checkRange(offset: number, length: number, size: number, name: string): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (whole && offset >= 0 && length >= 0 && offset + length <= size) return;
  throw new KvbenchError(`Cannot read ${length} bytes at ${offset} of ${name}: it has ${size} bytes`);
}
