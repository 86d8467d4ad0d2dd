/**
 * Writing of files, here alone but for the hub's cache. A regular file is replaced as a whole, so that a reader never
 * sees half of one, whenever the process is killed; symbolic links are followed, and mode and owner are kept. Devices,
 * pipes and the standard streams are written to directly.
 */
import { basename, dirname, isAbsolute, join } from "node:path";
import { KvbenchError } from "../base/errors.ts";

/** Most links that are followed in a row, as on Linux. */
const MAX_LINKS = 40;

/**
 * Writes `content` to `path` as a whole: into a temporary file beside the file that `path` names or leads to, which
 * is then renamed over it. Missing folders are created. Needs read and write permission for the folder (renaming asks
 * for both), of a symbolic link also for the folder that it leads to.
 *
 * @throws {KvbenchError} If it cannot be written. Then a regular file is as it was, and the temporary file is gone.
 */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await naming(path, async () => {
    const target = await targetOf(path);
    if (target.kind === "through") return await target.write(bytes);
    await replace(target, bytes);
  });
}

/**
 * Checks that {@linkcode writeWhole} can write to `path`, before an hour of measuring. Creates missing folders, and
 * writes to regular files alone.
 *
 * @throws {KvbenchError} If it cannot.
 */
export async function checkWritable(path: string): Promise<void> {
  await naming(path, async () => {
    const target = await targetOf(path);
    if (target.kind === "file") await withTemporary(target, new Uint8Array(), Deno.remove);
  });
}

/**
 * Tells whether a later {@linkcode writeWhole} replaces an earlier one, as in a regular file; a pipe's reader would see
 * both.
 *
 * @throws {KvbenchError} If that cannot be found out.
 */
export async function isReplaced(path: string): Promise<boolean> {
  let replaced = false;
  await naming(path, async () => {
    replaced = (await targetOf(path)).kind === "file";
  });
  return replaced;
}

/**
 * Writes a result under a name that no other process has or gets, `kvbench-YYYYMMDD-HHMMSS.json` in UTC. No file in
 * `folder` begins with the name and a dot; where one does, the name gets a number: `kvbench-20260102-030405-2.json`.
 * The folder is created where it is missing.
 *
 * @returns The file's path.
 * @throws {KvbenchError} If `folder` cannot be read or written.
 */
export async function writeUnderNewName(folder: string, when: Date, content: string): Promise<string> {
  const [date, time] = when.toISOString().replace(/[-:]|\..*/g, "").split("T");
  const stamp = `kvbench-${date}-${time}`;
  const taken = await basesIn(folder);
  for (let n = 1;; n++) {
    const name = n === 1 ? stamp : `${stamp}-${n}`;
    if (taken.has(name)) continue;
    const path = join(folder, `${name}.json`);
    if (!await claim(path)) continue;
    try {
      await writeWhole(path, content);
    } catch (error) {
      await Deno.remove(path).catch(() => {}); // the first error is the one to tell
      throw error;
    }
    return path;
  }
}

/** Lists the names of the files in a folder, up to their first dot. */
async function basesIn(folder: string): Promise<Set<string>> {
  const bases = new Set<string>();
  try {
    for await (const { name } of Deno.readDir(folder)) bases.add(name.replace(/\..*$/, ""));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return bases;
    throw new KvbenchError(`Cannot list ${folder}: ${reasonOf(error)}`, { cause: error });
  }
  return bases;
}

/** Makes an empty file, or returns false where there is one: the system lets only one process do so. */
async function claim(path: string): Promise<boolean> {
  let claimed = true;
  await naming(path, async () => {
    await Deno.mkdir(dirname(path), { recursive: true });
    try {
      (await Deno.open(path, { write: true, createNew: true })).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      claimed = false;
    }
  });
  return claimed;
}

/** A regular file, or the place of one. */
interface RegularFile {
  readonly kind: "file";
  /** Path behind all links. */
  readonly path: string;
  /** Undefined where there is none yet. */
  readonly info: Deno.FileInfo | undefined;
}

/** A device, a pipe or a stream, which has no content to replace. */
interface Through {
  readonly kind: "through";
  write(bytes: Uint8Array): Promise<void>;
}

/** Finds out what a path stands for. */
async function targetOf(path: string): Promise<RegularFile | Through> {
  const stream = standardStream(path);
  if (stream !== undefined) return { kind: "through", write: (bytes) => writeAll(stream, bytes) };
  const info = await statOf(path);
  if (info === undefined || info.isFile) return { kind: "file", path: await behindLinks(path), info };
  if (info.isDirectory) throw new Deno.errors.IsADirectory("Is a directory");
  if (info.isSocket) throw new KvbenchError("It is a socket");
  return {
    kind: "through",
    write: async (bytes) => {
      using file = await Deno.open(path, { write: true });
      await writeAll(file, bytes);
    },
  };
}

/**
 * Returns the process's own stream that a path stands for. Opening such a path would write from the start of the file
 * behind the stream, and lose its content.
 */
function standardStream(path: string): { write(bytes: Uint8Array): Promise<number> } | undefined {
  if (Deno.build.os === "windows") return undefined;
  switch (/^(?:\/dev\/(stdout|stderr)|\/(?:dev|proc\/self)\/fd\/([12]))$/.exec(path)?.slice(1).join("")) {
    case "stdout":
    case "1":
      return Deno.stdout;
    case "stderr":
    case "2":
      return Deno.stderr;
  }
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Follows symbolic links; the file behind them may be missing. */
async function behindLinks(path: string): Promise<string> {
  for (let links = 0; links < MAX_LINKS; links++) {
    const info = await Deno.lstat(path).catch((error: unknown) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    });
    if (!info?.isSymlink) return path;
    const next = await Deno.readLink(path);
    // Where the folder is a link itself, its ".." is not what the path says.
    path = isAbsolute(next) ? next : join(await Deno.realPath(dirname(path)), next);
  }
  throw new KvbenchError("Too many levels of symbolic links");
}

/** Replaces a file, which keeps its mode, and its owner where the system allows that. */
async function replace({ path, info, kind }: RegularFile, bytes: Uint8Array): Promise<void> {
  await withTemporary({ kind, path, info }, bytes, (temporary) => Deno.rename(temporary, path));
}

async function withTemporary(
  { path, info }: RegularFile,
  bytes: Uint8Array,
  use: (temporary: string) => Promise<void>,
): Promise<void> {
  // A file that may not be written may not be replaced either.
  if (info !== undefined) (await Deno.open(path, { write: true })).close();
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.tmp-${crypto.randomUUID()}`);
  try {
    await Deno.mkdir(folder, { recursive: true });
    await writeDurably(temporary, bytes, info);
    await use(temporary);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // it may not exist, and the first error is the one to tell
    throw error;
  }
}

/** Writes a new file and waits until the disk has it: a rename must not overtake the content. */
async function writeDurably(
  path: string,
  bytes: Uint8Array,
  like: Deno.FileInfo | undefined,
): Promise<void> {
  // What replaces a file that few may read is never readable by more.
  const keep = like !== undefined && Deno.build.os !== "windows";
  using file = await Deno.open(path, { write: true, createNew: true, ...(keep && { mode: 0o600 }) });
  if (keep) {
    const { uid, gid } = await file.stat();
    if (uid !== like.uid || gid !== like.gid) {
      await Deno.chown(path, like.uid, like.gid).catch((error: unknown) => {
        if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
      });
    }
    await Deno.chmod(path, like.mode! & 0o7777);
  }
  await writeAll(file, bytes);
  await file.syncData();
}

async function writeAll(
  file: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let offset = 0; offset < bytes.length;) offset += await file.write(bytes.subarray(offset));
}

/** Runs `write`, and names the path in its error. */
async function naming(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw new KvbenchError(`Cannot write ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Returns the first line of an error's message, without the call that Deno appends to it. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split("\n")[0] ?? text).replace(
    /: (open|mkdir|rename|readdir|stat|lstat|readlink|realpath|chmod|chown|remove) '.*$/,
    "",
  );
}
