/**
 * Writing result files so that a reader never sees half of one, whenever the process is killed.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { KvbenchError } from "../errors.ts";

/**
 * Writes `content` to `path` as a whole: into a temporary file in the same folder, which is then renamed over
 * `path`. Missing folders are created. Needs read and write permission for the folder (renaming asks for both).
 *
 * @throws {KvbenchError} If it cannot be written. Then `path` is as it was, and the temporary file is gone.
 */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await withTemporary(path, bytes, (temporary) => Deno.rename(temporary, path));
}

/**
 * Finds out whether {@linkcode writeWhole} can write to `path`, so that nobody measures for an hour first. Leaves
 * nothing behind but missing folders.
 *
 * @throws {KvbenchError} If it can't.
 */
export async function checkWritable(path: string): Promise<void> {
  await withTemporary(path, new Uint8Array(), async (temporary) => {
    const taken = await Deno.stat(path).catch(() => undefined);
    if (taken?.isDirectory) throw new Deno.errors.IsADirectory("Is a directory");
    await Deno.remove(temporary);
  });
}

async function withTemporary(
  path: string,
  bytes: Uint8Array,
  use: (temporary: string) => Promise<void>,
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.tmp-${crypto.randomUUID()}`);
  try {
    await Deno.mkdir(folder, { recursive: true });
    await writeDurably(temporary, bytes);
    await use(temporary);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // it may not exist, and the first error is the one to tell
    throw new KvbenchError(`Cannot write ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * A base name for the files of one result, `kvbench-YYYYMMDD-HHMMSS` in UTC, such that no file in `folder` starts
 * with it and a dot. Where one does, the name gets a number: `kvbench-20260102-030405-2`. Needs read permission
 * for `folder`, which need not exist.
 *
 * @throws {KvbenchError} If `folder` cannot be read.
 */
export async function nextResultName(folder: string, when: Date): Promise<string> {
  const [date, time] = when.toISOString().replace(/[-:]|\..*/g, "").split("T");
  const stamp = `kvbench-${date}-${time}`;
  const taken = new Set<string>();
  try {
    for await (const { name } of Deno.readDir(folder)) taken.add(name.replace(/\..*$/, ""));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new KvbenchError(`Cannot list ${folder}: ${reasonOf(error)}`, { cause: error });
    }
  }
  let name = stamp;
  for (let n = 2; taken.has(name); n++) name = `${stamp}-${n}`;
  return name;
}

/** Writes a new file and waits until the disk has it: a rename must not overtake the content. */
async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let offset = 0; offset < bytes.length;) offset += await file.write(bytes.subarray(offset));
  await file.syncData();
}

/** First line of the error's message, without the call that Deno appends to it. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split("\n")[0] ?? text).replace(/: (open|mkdir|rename|readdir) '.*$/, "");
}
