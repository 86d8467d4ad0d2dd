/** Files on disk: opened as byte sources, or read as text. Owns the handles; knows no format. */
import { createHash } from "node:crypto";
import { KvbenchError } from "../base/errors.ts";
import { decodeUtf8 } from "../base/utf8.ts";
import { type ByteSource, checkRange } from "../checkpoint/byte_source.ts";

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
    if (info.isDirectory) throw new KvbenchError(`Cannot read ${path}: it is a folder, expected a file`);
    return new FileSource(file, path, info.size);
  } catch (error) {
    file.close();
    throw error;
  }
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

/** Bytes of a file that are hashed at once. */
const HASHED_BYTES = 16 << 20;

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

  async sha256(): Promise<string> {
    const hash = createHash("sha256"); // crypto.subtle takes no file in pieces
    for (let offset = 0; offset < this.size; offset += HASHED_BYTES) {
      hash.update(await this.read(offset, Math.min(HASHED_BYTES, this.size - offset)));
    }
    return hash.digest("hex");
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
