/**
 * A result file that grows while it is measured: whole at every moment, and at most a moment behind.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { KvbenchError } from "../../base/errors.ts";
import { Lock } from "../../hub/lock.ts";
import { type BenchResult, parseResult } from "../../measure/record/result.ts";
import { readText } from "../../host/files.ts";
import { formatJson } from "../../report/json.ts";
import { checkWritable, isReplaced, writeWhole } from "../../report/write.ts";

/** Rewriting costs some milliseconds, so that it is not done after every round of a quick workload. */
const PAUSE_MS = 1000;

/** Writes one result, over and over. */
export class ResultFile {
  /** Where it is written. */
  readonly path: string;
  readonly #replaced: boolean;
  readonly #begun: boolean;
  #writtenAt = -Infinity;
  #measured = 0;
  // A record that was handed in later must not be overtaken by an earlier one.
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, { replaced, begun }: { replaced: boolean; begun: boolean }) {
    this.path = path;
    this.#replaced = replaced;
    this.#begun = begun;
  }

  /**
   * Takes a path that was asked for; nothing is written yet.
   *
   * @throws {KvbenchError} If it can't be written to.
   */
  static async at(path: string): Promise<ResultFile> {
    return new ResultFile(path, { replaced: await isReplaced(path), begun: false });
  }

  /** Takes a file that was made for this result and holds nothing measured. */
  static begun(path: string): ResultFile {
    return new ResultFile(path, { replaced: true, begun: true });
  }

  /**
   * Writes the record if it holds more cells than before, or was not written for a second. What is no regular file
   * gets only the final record.
   *
   * @param now Whether it is written in any case.
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

  /** Removes a file that was made for this result and has got nothing. */
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
 * Reads JSON from a file.
 *
 * @throws {KvbenchError} If there is none, it may not be read, or is not JSON.
 */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return JSON.parse(text);
  } catch {
    throw new KvbenchError(`Cannot read ${path}: it is not JSON`);
  }
}

/**
 * Reads a bench result.
 *
 * @throws {KvbenchError} If the file can't be read, or is no such result.
 */
export async function readResult(path: string): Promise<BenchResult> {
  return parseResult(await readJson(path), path);
}
