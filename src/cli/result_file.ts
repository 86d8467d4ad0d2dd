/**
 * A result file that grows while it is measured: whole at every moment, and at most a moment behind.
 *
 * @module
 */
import { KvbenchError } from "../errors.ts";
import { type BenchResult, parseResult } from "../measure/result.ts";
import { readText } from "../model/byte_source.ts";
import { formatJson } from "../report/json.ts";
import { writeWhole } from "../report/write.ts";

/** Rewriting costs some milliseconds, so that it is not done after every round of a quick workload. */
const PAUSE_MS = 1000;

/** Writes one result, over and over. */
export class ResultFile {
  /** Where it is written. */
  readonly path: string;
  #written = -Infinity;
  #measured = 0;

  /** @param path Where to write. */
  constructor(path: string) {
    this.path = path;
  }

  /**
   * Writes the record if it holds more cells than before, or was not written for a second.
   *
   * @throws {KvbenchError} If it can't be written; the file is then as it was.
   */
  async update(result: BenchResult): Promise<void> {
    if (result.cells.length === this.#measured && performance.now() - this.#written < PAUSE_MS) return;
    await this.write(result);
  }

  /**
   * Writes the record.
   *
   * @throws {KvbenchError} If it can't be written; the file is then as it was.
   */
  async write(result: BenchResult): Promise<void> {
    await writeWhole(this.path, formatJson(result) + "\n");
    this.#measured = result.cells.length;
    this.#written = performance.now();
  }
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
