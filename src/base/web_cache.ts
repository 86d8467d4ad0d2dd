/** The Web Cache, which Deno keeps on disk and which needs no permission. */

/** Opens a cache; undefined if the runtime has none, or can't open it. */
export async function openWebCache(name: string): Promise<Cache | undefined> {
  if (typeof caches === "undefined") return undefined;
  return await caches.open(name).catch(() => undefined);
}
