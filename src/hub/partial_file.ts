/**
 * A file that is still arriving: `BLOB.incomplete`, as Hugging Face's tools call it, with the hash of what is there.
 * It survives a process that is killed, and knows which version of the file its server sent, for `If-Range`.
 *
 * @module
 */
import type { Hash } from "node:crypto";
import { unwritable } from "./disk.ts";
import { newHash } from "./hash.ts";
import type { RemoteFile } from "./remote_file.ts";

const CHUNK_BYTES = 1 << 20;

/** The file, open. */
export class PartialFile implements Disposable {
  /** Where it lies. */
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #remote: RemoteFile;
  #size = 0;
  #hash: Hash | undefined;

  private constructor(path: string, file: Deno.FsFile, remote: RemoteFile) {
    this.path = path;
    this.#file = file;
    this.#remote = remote;
    this.#hash = newHash(remote);
  }

  /**
   * Opens what an earlier try has left, or begins.
   *
   * @param blob The file's final name.
   * @throws {KvbenchError} If it can't be opened or read.
   */
  static async open(blob: string, remote: RemoteFile): Promise<PartialFile> {
    const path = `${blob}.incomplete`;
    let opened: Deno.FsFile | undefined;
    try {
      opened = await Deno.open(path, { read: true, write: true, create: true });
      const partial = new PartialFile(path, opened, remote);
      await partial.#readBack();
      return partial;
    } catch (error) {
      opened?.close();
      throw unwritable(path, error);
    }
  }

  /** Bytes that are there. */
  get size(): number {
    return this.#size;
  }

  /** The strong ETag of the answer that the bytes came in, where one is known. */
  async validator(): Promise<string | undefined> {
    return await Deno.readTextFile(this.#validatorPath).catch(() => undefined);
  }

  /** Remembers the ETag of the answer whose bytes come next. A weak one promises no equal bytes. */
  async remember(etag: string | null): Promise<void> {
    try {
      if (etag !== null && /^"[\x21\x23-\x7e]*"$/.test(etag)) {
        await Deno.writeTextFile(this.#validatorPath, etag);
      } else await removeIfThere(this.#validatorPath);
    } catch (error) {
      throw unwritable(this.#validatorPath, error);
    }
  }

  /**
   * Adds bytes at the end.
   *
   * @throws {KvbenchError} If the disk doesn't take them. What is there stays.
   */
  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let offset = 0; offset < bytes.length;) offset += await this.#file.write(bytes.subarray(offset));
    } catch (error) {
      const { path, bytes: wanted } = this.#remote;
      throw unwritable(
        this.path,
        error,
        `: ${path} has ${wanted} bytes, ${this.#size} are there and are kept`,
      );
    }
    this.#hash?.update(bytes);
    this.#size += bytes.length;
  }

  /** Begins from nothing. */
  async restart(): Promise<void> {
    try {
      await this.#file.truncate(0);
      await this.#file.seek(0, Deno.SeekMode.Start);
    } catch (error) {
      throw unwritable(this.path, error);
    }
    this.#size = 0;
    this.#hash = newHash(this.#remote);
  }

  /** The hash of the whole, in hex, as the remote file's etag gives it; undefined where that is no hash. */
  digest(): string | undefined {
    return this.#hash?.digest("hex");
  }

  /** Gives the file, whole and on the disk, its final name. */
  async finish(blob: string): Promise<void> {
    try {
      await this.#file.syncData();
      await Deno.rename(this.path, blob);
      await removeIfThere(this.#validatorPath);
    } catch (error) {
      throw unwritable(blob, error);
    }
  }

  /** Removes the file. */
  async discard(): Promise<void> {
    await removeIfThere(this.path);
    await removeIfThere(this.#validatorPath);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  get #validatorPath(): string {
    return `${this.path}.etag`;
  }

  /** Hashes what is there. A file that is longer than the whole can't be a part of it. */
  async #readBack(): Promise<void> {
    const { size } = await this.#file.stat();
    if (size > this.#remote.bytes) return await this.restart();
    const chunk = new Uint8Array(CHUNK_BYTES);
    while (this.#size < size) {
      const count = await this.#file.read(chunk.subarray(0, size - this.#size));
      if (count === null) return;
      this.#hash?.update(chunk.subarray(0, count));
      this.#size += count;
    }
  }
}

async function removeIfThere(path: string): Promise<void> {
  await Deno.remove(path).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
