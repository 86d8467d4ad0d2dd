/**
 * Locks between processes: `flock` on a file, as Hugging Face's tools use it. The system releases a lock when its process
 * ends for whatever reason; a leftover lock file locks nothing.
 */
import { dirname } from "node:path";
import { KvbenchError } from "../base/errors.ts";
import { unwritable } from "./disk.ts";

/** Pause between tries to take a lock that another process holds, in ms. */
const POLL_MS = 200;

/** A lock that is held until it is disposed of. */
export class Lock implements Disposable {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Takes a lock, and waits while another process holds it.
   *
   * @param onWait Called repeatedly while it waits.
   * @throws {KvbenchError} If the lock's file can't be written.
   */
  static async take(path: string, onWait: () => void | Promise<void> = () => {}): Promise<Lock> {
    for (;;) {
      const lock = await Lock.try(path);
      if (lock !== undefined) return lock;
      await onWait();
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /**
   * Takes a lock if no other process holds it.
   *
   * @throws {KvbenchError} If the lock's file can't be written.
   */
  static async try(path: string): Promise<Lock | undefined> {
    try {
      await Deno.mkdir(dirname(path), { recursive: true });
      const file = await Deno.open(path, { write: true, create: true });
      if (await file.tryLock(true) && await isStill(file, path)) return new Lock(file);
      file.close();
      return undefined;
    } catch (error) {
      if (error instanceof KvbenchError) throw error;
      throw unwritable(path, error);
    }
  }

  /** Gives the lock back. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Tells whether the path still leads to the opened file: after a removal, others would lock another file. */
async function isStill(file: Deno.FsFile, path: string): Promise<boolean> {
  const [opened, there] = [await file.stat(), await Deno.stat(path).catch(() => undefined)];
  return there !== undefined && opened.ino === there.ino && opened.dev === there.dev;
}
