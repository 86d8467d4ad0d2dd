/**
 * The driver's cache of compiled kernels, as far as a program can see it: Mesa's, on disk. In a cold start the driver
 * compiles kernels that a warm start finds there.
 */
import type { Start } from "../../measure/record/start.ts";
import { isGranted } from "../../host/permissions.ts";

/** Folders that Mesa keeps compiled kernels in, by version and kind. */
const FOLDERS = ["mesa_shader_cache", "mesa_shader_cache_sf", "mesa_shader_cache_db"];
const BOOKKEEPING = new Set(["index", "marker"]);
/** Most folders to look into within such a folder. */
const MOST_FOLDERS = 1000;

/** Size of the cache. */
export interface DriverCacheState {
  /** Files that hold compiled kernels. */
  readonly files: number;
  /** Their bytes: some versions keep all kernels in few files that grow. */
  readonly bytes: number;
}

/** Measures the cache; undefined if this platform has none that is known, or it may not be read. */
export async function driverCacheState(): Promise<DriverCacheState | undefined> {
  const base = cacheBase();
  if (base === undefined) return undefined;
  let files = 0, bytes = 0;
  const add = async (path: string) => {
    files++;
    bytes += (await Deno.stat(path)).size;
  };
  for (const folder of FOLDERS.map((name) => `${base}/${name}`)) {
    if (!isGranted({ name: "read", path: folder })) return undefined;
    for (const { name, isDirectory } of await entriesOf(folder)) {
      if (!isDirectory) {
        if (!BOOKKEEPING.has(name)) await add(`${folder}/${name}`);
        continue;
      }
      for (const file of await entriesOf(`${folder}/${name}`)) {
        if (file.isFile) await add(`${folder}/${name}/${file.name}`).catch(() => {}); // the driver may take it away
      }
    }
  }
  return { files, bytes };
}

/** Tells from the cache before and after a start which of its kernels the driver had compiled before. */
export function foundInCache(
  before: DriverCacheState | undefined,
  after: DriverCacheState | undefined,
): Start["driver_cache"] {
  // A driver that has left nothing there keeps its kernels elsewhere.
  if (before === undefined || after === undefined || after.files === 0) return "unknown";
  if (before.files === 0) return "empty";
  return after.files > before.files || after.bytes > before.bytes ? "partial" : "full";
}

/** Returns the folder that holds Mesa's folders. */
function cacheBase(): string | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const [mesa, xdg, home] = ["MESA_SHADER_CACHE_DIR", "XDG_CACHE_HOME", "HOME"].map((variable) => {
    return isGranted({ name: "env", variable }) ? Deno.env.get(variable) : null;
  });
  if (mesa === null || xdg === null || home === null) return undefined;
  return mesa || xdg || (home && `${home}/.cache`) || undefined;
}

async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  const entries: Deno.DirEntry[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (entries.push(entry) === MOST_FOLDERS) break;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return entries;
}
