/**
 * A file that is still arriving: `BLOB.incomplete`, as Hugging Face's tools call it, with the hash of its bytes so far.
 * It survives a killed process, and keeps the ETag of the version that its bytes are of, for `If-Range`.
 */
import type { Hash } from "node:crypto";
import { unwritable } from "./disk.ts";
import { newHash } from "./hash.ts";
import type { RemoteFile } from "./remote_file.ts";

const CHUNK_BYTES = 1 << 20;

/** An open file that is still arriving. */
export class PartialFile implements Disposable {
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
   * Opens the part that an earlier try has left, or an empty file.
   *
   * @param blob Path of the whole file.
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

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** Reads the strong ETag of the answer that the bytes came in; undefined if it had none. */
  async validator(): Promise<string | undefined> {
    return await Deno.readTextFile(this.#validatorPath).catch(() => undefined);
  }

  /** Keeps the ETag of the answer whose bytes come next, unless it is weak: that does not promise equal bytes. */
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
   * Appends bytes.
   *
   * @throws {KvbenchError} If the disk does not take them. Earlier bytes stay.
   */
  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let offset = 0; offset < bytes.length;) offset += await this.#file.write(bytes.subarray(offset));
    } catch (error) {
      const { path, bytes: expected } = this.#remote;
      throw unwritable(
        this.path,
        error,
        `: ${path} has ${expected} bytes, ${this.#size} are there and are kept`,
      );
    }
    this.#hash?.update(bytes);
    this.#size += bytes.length;
  }

  /** Discards all bytes, and begins anew. */
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

  /** Returns the hash in hex, of the kind of the remote file's etag; undefined if that is not a hash. */
  digest(): string | undefined {
    return this.#hash?.digest("hex");
  }

  /** Syncs the whole file to the disk, and renames it. */
  async finish(blob: string): Promise<void> {
    try {
      await this.#file.syncData();
      await Deno.rename(this.path, blob);
      await removeIfThere(this.#validatorPath);
    } catch (error) {
      throw unwritable(blob, error);
    }
  }

  /** Removes the file and its ETag. */
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

  /** Hashes the bytes of an earlier try, or discards them if there are more than the whole file has. */
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
