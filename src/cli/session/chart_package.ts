/**
 * The one package that drawing adds to a run: a native canvas, which can't be part of a bundle. Announces its download
 * once for each of Deno's caches, and remembers that in the Web Cache, which is a part of it.
 */
import { openWebCache } from "../../base/web_cache.ts";
import { CANVAS_PACKAGE, chartPermissions } from "../../report/canvas.ts";

const CACHE_NAME = "kvbench-packages";
const KEY = `https://kvbench.invalid/${CANVAS_PACKAGE}`;

/**
 * Draws, and announces the download before the first time.
 *
 * @param say Shows a line.
 */
export async function drawing<T>(draw: () => Promise<T>, say: (line: string) => void): Promise<T> {
  const cache = await openWebCache(CACHE_NAME);
  // Without the permissions nothing is fetched, and `draw` says so.
  if (chartPermissions().length === 0 && await cache?.match(KEY) === undefined) {
    say(
      `Charts are drawn by ${CANVAS_PACKAGE}: fetching it from the npm registry (65 MB on disk) unless it is there`,
    );
  }
  const drawn = await draw();
  await cache?.put(KEY, new Response("")).catch(() => {}); // a full disk costs no more than the line again
  return drawn;
}
