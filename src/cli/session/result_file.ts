/** A result file that grows while it is measured: whole at every moment, and at most a second behind. */
import { basename, dirname, join } from "node:path";
import { KvbenchError } from "../../base/errors.ts";
import { Lock } from "../../hub/lock.ts";
import { type BenchResult, parseResult } from "../../measure/record/result.ts";
import { readJson } from "../../hub/model_files.ts";
import { formatJson } from "../../report/json.ts";
import { checkWritable, isReplaced, writeWhole } from "../../report/write.ts";

/** Least time between two updates, in ms: each costs some milliseconds. */
const PAUSE_MS = 1000;

/** The file of a result, which is rewritten as the result grows. */
export class ResultFile {
  readonly path: string;
  readonly #replaced: boolean;
  readonly #begun: boolean;
  #writtenAt = -Infinity;
  #measured = 0;
  // later records must not be overtaken by earlier ones
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, { replaced, begun }: { replaced: boolean; begun: boolean }) {
    this.path = path;
    this.#replaced = replaced;
    this.#begun = begun;
  }

  /**
   * Takes a path from an option. Writes nothing yet.
   *
   * @throws {KvbenchError} If it can't be written to.
   */
  static async at(path: string): Promise<ResultFile> {
    return new ResultFile(path, { replaced: await isReplaced(path), begun: false });
  }

  /** Takes a file that was made for this result and holds no measurement yet. */
  static begun(path: string): ResultFile {
    return new ResultFile(path, { replaced: true, begun: true });
  }

  /**
   * Writes the record if it holds more cells than before, or was not written for a second. A pipe or a device gets only
   * the final record.
   *
   * @param now True to write in any case. Default: false.
   * @throws {KvbenchError} If it can't be written; the file is then as it was.
   */
  async update(result: BenchResult, now = false): Promise<void> {
    if (!this.#replaced) return;
    const fresh = result.cells.length === this.#measured && performance.now() - this.#writtenAt < PAUSE_MS;
    if (fresh && !now) return;
    await this.write(result);
  }

  /**
   * Writes the record.
   *
   * @throws {KvbenchError} If it can't be written; the file is then as it was.
   */
  async write(result: BenchResult): Promise<void> {
    const before = this.#writing;
    const writing = before.then(() => writeWhole(this.path, formatJson(result) + "\n"));
    this.#writing = writing.catch(() => {}); // the caller gets the error
    await writing;
    this.#measured = result.cells.length;
    this.#writtenAt = performance.now();
  }

  /**
   * Reads what is there.
   *
   * @throws {KvbenchError} If there is no whole result.
   */
  async read(): Promise<BenchResult> {
    return await readResult(this.path);
  }

  /** Removes the file if it was made for this result; used when nothing was measured. */
  async withdraw(): Promise<void> {
    await this.#writing;
    if (this.#begun) await Deno.remove(this.path).catch(() => {}); // what failed is the error to tell
  }
}

/**
 * Keeps other runs from writing the result at `path` until it is disposed of. Does nothing where `path` is no regular
 * file: a pipe is not replaced.
 *
 * @throws {KvbenchError} If another run writes it, or its folder can't be written.
 */
export async function claimResult(path: string): Promise<Disposable> {
  if (!await isReplaced(path)) return { [Symbol.dispose]() {} };
  await checkWritable(path);
  const beside = join(dirname(path), `.${basename(path)}.lock`);
  const lock = await Lock.try(beside);
  if (lock === undefined) throw new KvbenchError(`${path} is being written by another run: expected its end`);
  return {
    [Symbol.dispose]() {
      try {
        Deno.removeSync(beside);
      } catch {
        // A lock file that stays locks nothing.
      }
      lock[Symbol.dispose]();
    },
  };
}

/**
 * Reads a bench result.
 *
 * @throws {KvbenchError} If the file can't be read, or is no such result.
 */
export async function readResult(path: string): Promise<BenchResult> {
  return parseResult(await readJson(path), path);
}
