/**
 * The folder that holds models, in the layout that Hugging Face's tools share
 * (https://huggingface.co/docs/huggingface_hub/guides/manage-cache):
 *
 *     models--OWNER--NAME/refs/REVISION            the commit that a branch, tag or `refs/pr/N` stood for
 *     models--OWNER--NAME/snapshots/COMMIT/FILE    a link to the file's content
 *     models--OWNER--NAME/blobs/ETAG               the content, named by its hash
 *     .locks/models--OWNER--NAME/ETAG.lock         locked while the content is fetched
 *
 * Knows no network.
 */
import { dirname } from "node:path";
import { KvbenchError } from "../base/errors.ts";
import { unreadable } from "../host/files.ts";
import { decodeUtf8 } from "../base/utf8.ts";
import { unwritable } from "./disk.ts";
import { Lock } from "./lock.ts";
import { cachedNames, folderName, type HubModel, isCommit, MAIN, repositoryOfFolder } from "./names.ts";
import type { RemoteFile } from "./remote_file.ts";
import { isGranted } from "../host/permissions.ts";

/** A repository's files at one commit. */
export interface Snapshot extends HubModel {
  readonly commit: string;
  /** The folder that holds `config.json` and the rest. */
  readonly folder: string;
}

/** A cache of models. */
export class HubCache {
  /** Path of the folder, which need not exist. */
  readonly root: string;

  /** @param root Path of the folder. */
  constructor(root: string) {
    this.root = root;
  }

  /**
   * Returns the snapshot of a model, under the name that its repository has here, or undefined if there is none.
   *
   * @throws {KvbenchError} If the folder may not be read, or is damaged.
   */
  async find({ repository, revision }: HubModel): Promise<Snapshot | undefined> {
    for (const name of cachedNames(repository)) {
      const home = this.#home(name), ref = `${home}/refs/${revision}`;
      const commit = isCommit(revision) ? revision : (await readIfThere(ref))?.trim();
      if (commit === undefined) continue;
      if (!/^[\w-]{1,64}$/.test(commit)) {
        throw new KvbenchError(`Cannot use ${ref}: it names no commit. Remove ${home}`);
      }
      const folder = `${home}/snapshots/${commit}`;
      if (await isThere(folder)) return { repository: name, revision, commit, folder };
    }
    return undefined;
  }

  /** Returns the revisions of a repository that are here: `main` first, then references and commits that have none. */
  async revisions(repository: string): Promise<string[]> {
    const home = this.#home(repository);
    const refs: string[] = [], referred = new Set<string | undefined>();
    for await (const name of refsBelow(`${home}/refs`)) {
      refs.push(name);
      referred.add((await readIfThere(`${home}/refs/${name}`))?.trim());
    }
    const commits = (await foldersIn(`${home}/snapshots`)).filter((name) =>
      !referred.has(name) && isCommit(name)
    );
    return [
      ...refs.filter((name) => name === MAIN),
      ...refs.filter((name) => name !== MAIN).sort(),
      ...commits.sort(),
    ];
  }

  /** Returns the repositories that have a folder here, sorted. */
  async repositories(): Promise<string[]> {
    const names: string[] = [];
    try {
      for await (const { name } of Deno.readDir(this.root)) {
        const repository = repositoryOfFolder(name);
        if (repository !== undefined) names.push(repository);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw unreadable(this.root, error);
    }
    return names.sort();
  }

  /** Returns the path of a file's content, and the lock to hold while it is written. */
  blobOf({ repository, etag }: RemoteFile): { blob: string; lock: string } {
    return {
      blob: `${this.#home(repository)}/blobs/${etag}`,
      lock: `${this.root}/.locks/${folderName(repository)}/${etag}.lock`,
    };
  }

  /**
   * Makes a repository's folders.
   *
   * @throws {KvbenchError} If they can't be written.
   */
  async prepare(repository: string): Promise<void> {
    for (const name of ["read", "write"] as const) {
      if (isGranted({ name, path: this.root })) continue;
      throw new KvbenchError(
        `Cannot write to ${this.root}: run with --allow-read=${this.root} --allow-write=${this.root}`,
      );
    }
    const blobs = `${this.#home(repository)}/blobs`;
    await Deno.mkdir(blobs, { recursive: true }).catch((error: unknown) => {
      throw unwritable(blobs, error);
    });
  }

  /**
   * Links a fetched file under its name, and returns the link's path.
   *
   * @throws {KvbenchError} If the folder can't be written.
   */
  async link(file: RemoteFile): Promise<string> {
    const folder = `${this.#home(file.repository)}/snapshots/${file.commit}`;
    const path = `${folder}/${file.path}`;
    const aside = `${path}.${crypto.randomUUID()}`;
    try {
      await Deno.mkdir(folder, { recursive: true });
      await linkTo(`../../blobs/${file.etag}`, this.blobOf(file).blob, aside);
      await Deno.rename(aside, path);
      await Deno.remove(aside).catch(() => {}); // rename() does nothing if both names are hard links of one file
      return path;
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  /**
   * Makes a revision refer to a commit whose files are complete. A commit refers to itself.
   *
   * @throws {KvbenchError} If the folder can't be written.
   */
  async point({ repository, revision }: HubModel, commit: string): Promise<void> {
    if (isCommit(revision)) return;
    const path = `${this.#home(repository)}/refs/${revision}`;
    const aside = `${path}.${crypto.randomUUID()}`;
    try {
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeTextFile(aside, commit);
      await Deno.rename(aside, path);
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  /** Returns the bytes of a repository: those of whole files, and those of interrupted downloads. */
  async usage(repository: string): Promise<{ bytes: number; incompleteBytes: number }> {
    let bytes = 0, incompleteBytes = 0;
    const blobs = `${this.#home(repository)}/blobs`;
    for await (const { name, size } of filesIn(blobs)) {
      if (/\.incomplete$/.test(name)) incompleteBytes += size;
      else bytes += size;
    }
    return { bytes, incompleteBytes };
  }

  /** Returns the bytes of a snapshot's files, which other snapshots may share. */
  async bytesOf({ folder }: Snapshot): Promise<number> {
    let bytes = 0;
    for await (const { name } of Deno.readDir(folder)) bytes += (await Deno.stat(`${folder}/${name}`)).size;
    return bytes;
  }

  /**
   * Returns the hash that a snapshot's file must have: the name of its content.
   *
   * @returns Undefined if the file is not a link, as on systems without links.
   */
  async etagOf({ repository }: Snapshot, path: string): Promise<string | undefined> {
    const info = await Deno.lstat(path);
    if (info.isSymlink) return (await Deno.readLink(path)).match(/([^/\\]+)$/)?.[1];
    for await (const { name, ino, dev } of filesIn(`${this.#home(repository)}/blobs`)) {
      if (ino !== null && ino === info.ino && dev === info.dev) return name;
    }
    return undefined;
  }

  /**
   * Removes a repository, also under its old name.
   *
   * @returns Bytes removed, or undefined if there is no such repository.
   * @throws {KvbenchError} If it is being fetched, or can't be removed.
   */
  async remove(repository: string): Promise<number | undefined> {
    let removed: number | undefined;
    for (const name of cachedNames(repository)) {
      const home = this.#home(name);
      if (!await isThere(home)) continue;
      using _locks = await this.#lockAll(name);
      const { bytes, incompleteBytes } = await this.usage(name);
      await Deno.remove(home, { recursive: true }).catch((error: unknown) => {
        throw new KvbenchError(`Cannot remove ${home}: ${(error as Error).message.split("\n", 1)[0]}`);
      });
      removed = (removed ?? 0) + bytes + incompleteBytes;
    }
    return removed;
  }

  #home(repository: string): string {
    return `${this.root}/${folderName(repository)}`;
  }

  async #lockAll(repository: string): Promise<DisposableStack> {
    const folder = `${this.root}/.locks/${folderName(repository)}`;
    using locks = new DisposableStack();
    for await (const { name } of filesIn(folder)) {
      const lock = await Lock.try(`${folder}/${name}`);
      if (lock === undefined) {
        throw new KvbenchError(`Cannot remove ${repository}: another process is fetching it`);
      }
      locks.use(lock);
    }
    return locks.move();
  }
}

/**
 * Makes a symbolic link, as Hugging Face's tools do, or a hard one: Deno allows symbolic links only with unrestricted read
 * and write permission.
 */
async function linkTo(target: string, blob: string, path: string): Promise<void> {
  try {
    await Deno.symlink(target, path);
  } catch {
    await Deno.link(blob, path);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw unreadable(path, error);
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return decodeUtf8(await Deno.readFile(path), path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error instanceof KvbenchError ? error : unreadable(path, error);
  }
}

/** Yields the files in a folder, which need not exist. */
async function* filesIn(folder: string): AsyncGenerator<Deno.FileInfo & { name: string }> {
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile) yield { name, ...await Deno.lstat(`${folder}/${name}`) };
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw unreadable(folder, error);
  }
}

/** A reference that is being written, or was when its process ended. */
const ASIDE = /\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Yields the paths of the references below a folder, which need not exist. */
async function* refsBelow(folder: string, prefix = ""): AsyncGenerator<string> {
  for await (const { name } of filesIn(folder)) if (!ASIDE.test(name)) yield prefix + name;
  for (const name of await foldersIn(folder)) yield* refsBelow(`${folder}/${name}`, `${prefix}${name}/`);
}

/** Returns the names of the folders in a folder, which need not exist. */
async function foldersIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).filter((each) => each.isDirectory).map(({ name }) =>
      name
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw unreadable(folder, error);
  }
}
