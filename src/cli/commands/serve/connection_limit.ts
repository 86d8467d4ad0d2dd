/**
 * The limit of `serve`'s connections, below that of files that its process may open. Deno raises the soft limit of files
 * to the hard one when it starts; only a process with every permission can read it.
 */
import { UsageError } from "../../../base/errors.ts";
import { isGranted } from "../../../host/permissions.ts";

/** Default limit of connections. */
export const DEFAULT_CONNECTIONS = 2048;

/** Files besides connections: about 24 of Deno's and the driver's, and refusals that are being sent. */
const OTHER_FILES = 48;

const LIMITS = "/proc/self/limits";

/**
 * Returns the given limit, or the default.
 *
 * @throws {UsageError} If the process is known to open too few files for the given limit.
 */
export async function connectionLimit(given: number | undefined): Promise<number> {
  const nFiles = await openFileLimit();
  const most = nFiles === undefined ? Infinity : Math.max(1, nFiles - OTHER_FILES);
  if (given !== undefined && given > most) {
    throw new UsageError(
      `--max-connections is ${given}: this process may open ${nFiles} files, expected at most ${most}`,
    );
  }
  return given ?? Math.min(DEFAULT_CONNECTIONS, most);
}

/** Reads the limit of open files; undefined if that needs a prompt. */
async function openFileLimit(): Promise<number | undefined> {
  if (!isGranted({ name: "read", path: LIMITS })) return undefined;
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(await Deno.readTextFile(LIMITS)) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined; // another system, or not every permission
  }
}
