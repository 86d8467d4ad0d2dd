/**
 * Random access to bytes: a file on disk or bytes in memory. It owns the file handle and knows no format.
 *
 * @module
 */
import { KvbenchError } from "../base/errors.ts";
import { decodeUtf8 } from "../base/utf8.ts";

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
  /** Gives the file handle back. Closing twice does nothing. */
  close(): void;
}

/**
 * Opens a file.
 *
 * @throws {KvbenchError} If it doesn't exist, is not a file, or may not be read.
 */
export async function fileSource(path: string | URL): Promise<ByteSource> {
  const file = await Deno.open(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    const info = await file.stat();
    if (info.isDirectory) throw new KvbenchError(`Cannot read ${path}: it is a folder, wanted a file`);
    return new FileSource(file, path, info.size);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Wraps bytes in memory. They must not change while the source is in use. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.byteLength,
    // deno-lint-ignore require-await -- the message must be a rejection, not an exception
    read: async (offset, length) => {
      checkRange(offset, length, bytes.byteLength, "bytes in memory");
      return bytes.slice(offset, offset + length);
    },
    close: () => {},
  };
}

/**
 * Reads a text file.
 *
 * @throws {KvbenchError} If it doesn't exist, can't be read, or is not UTF-8.
 */
export async function readText(path: string | URL): Promise<string> {
  const bytes = await Deno.readFile(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  return decodeUtf8(bytes, path);
}

/**
 * The error for a file that can't be opened or read, with what to do about it.
 *
 * @param path The file or folder.
 * @param error What the runtime threw.
 */
export function unreadable(path: string | URL, error: unknown): KvbenchError {
  if (error instanceof Deno.errors.NotFound) {
    return new KvbenchError(`Cannot read ${path}: there is no such file`);
  }
  if (error instanceof Deno.errors.NotCapable) {
    return new KvbenchError(`Cannot read ${path}: no permission, run with --allow-read`);
  }
  const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
  return new KvbenchError(`Cannot read ${path}: ${reason}`);
}

class FileSource implements ByteSource {
  readonly #file: Deno.FsFile;
  readonly #path: string | URL;
  readonly size: number;
  // A file has one position: a read starts when the one before it is done.
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(file: Deno.FsFile, path: string | URL, size: number) {
    this.#file = file;
    this.#path = path;
    this.size = size;
  }

  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const result = this.#last.then(() => this.#read(offset, length));
    this.#last = result.catch(() => {});
    return result;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }

  async #read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(offset, length, this.size, String(this.#path));
    if (this.#closed) throw new KvbenchError(`Cannot read ${this.#path}: it has been closed`);
    const bytes = new Uint8Array(length);
    let filled = 0;
    try {
      await this.#file.seek(offset, Deno.SeekMode.Start);
      while (filled < length) {
        const count = await this.#file.read(bytes.subarray(filled));
        if (count === null) break;
        filled += count;
      }
    } catch (error) {
      throw unreadable(this.#path, error);
    }
    if (filled < length) {
      throw new KvbenchError(
        `Cannot read ${length} bytes at ${offset} of ${this.#path}: the file became shorter while it was open`,
      );
    }
    return bytes;
  }
}

function checkRange(offset: number, length: number, size: number, name: string): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (whole && offset >= 0 && length >= 0 && offset + length <= size) return;
  throw new KvbenchError(`Cannot read ${length} bytes at ${offset} of ${name}: it has ${size} bytes`);
}
