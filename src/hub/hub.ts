/** The hub and its cache: a cached model is used without a request, another one is fetched. */
import { createReadStream } from "node:fs";
import { KvbenchError } from "../base/errors.ts";
import { HubCache, type Snapshot } from "./cache.ts";
import { newHash } from "./hash.ts";
import { HubClient } from "./http.ts";
import { CONFIG, vocabularyFilesIn, weightsIn } from "./model_files.ts";
import { type HubModel, nameOf } from "./names.ts";
import { fetchModel, type FetchOptions } from "./repository.ts";
import { type HubSettings, hubSettings } from "./settings.ts";

/** A file of a cached model, compared with the hash that it was fetched with. */
interface VerifiedFile {
  /** Name in the repository. */
  readonly path: string;
  readonly bytes: number;
  /** `unknown` if the cache holds no hash of the file. */
  readonly state: "ok" | "damaged" | "unknown";
}

/** A hub and its cache. */
export class Hub {
  readonly settings: HubSettings;
  readonly cache: HubCache;

  /**
   * Sends no request yet.
   *
   * @param settings Default: the environment's.
   * @throws {KvbenchError} If the environment may not be read, or a variable's value is not valid.
   */
  constructor(settings: HubSettings = hubSettings()) {
    this.settings = settings;
    this.cache = new HubCache(settings.cache);
  }

  /**
   * Returns a model's files, which are fetched unless all of them are in the cache. A vocabulary is not missed: the cache
   * does not tell whether the model has one.
   *
   * @throws {KvbenchError} If it is not cached and can't be fetched.
   */
  async open(model: HubModel, options: FetchOptions = {}): Promise<Snapshot> {
    const cached = await this.cache.find(model);
    const missing = cached === undefined
      ? new KvbenchError(`Model ${nameOf(model)} is not in ${this.cache.root}`)
      : await whatIsMissing(cached, options.withoutWeights ?? false);
    if (cached !== undefined && missing === undefined) return cached;
    if (this.settings.offline) {
      throw new KvbenchError(`${missing!.message}. HF_HUB_OFFLINE is set, so that nothing is fetched`);
    }
    return await this.fetch(model, options);
  }

  /**
   * Updates a model in the cache to what the hub has under its revision at present.
   *
   * @throws {KvbenchError} If it can't be fetched.
   */
  async fetch(model: HubModel, options: FetchOptions = {}): Promise<Snapshot> {
    if (this.settings.offline) {
      throw new KvbenchError(
        `Cannot fetch ${nameOf(model)}: HF_HUB_OFFLINE is set, so that nothing is fetched`,
      );
    }
    const { endpoint, timeoutMs } = this.settings;
    const client = new HubClient({ endpoint, timeoutMs, token: await this.settings.token() });
    return await fetchModel(client, this.cache, model, options);
  }

  /**
   * Compares a cached model's files with their hashes.
   *
   * @param onProgress Called with the bytes hashed so far.
   * @throws {KvbenchError} If a file is missing or can't be read.
   */
  async verify(snapshot: Snapshot, onProgress: (bytes: number) => void = () => {}): Promise<VerifiedFile[]> {
    const files: VerifiedFile[] = [];
    let done = 0;
    const { folder } = snapshot;
    for (const path of [CONFIG, ...await vocabularyFilesIn(folder), ...await weightsIn(folder)]) {
      const full = `${folder}/${path}`;
      const { size: bytes } = await Deno.stat(full);
      const etag = await this.cache.etagOf(snapshot, full);
      const hash = etag === undefined ? undefined : newHash({ etag, bytes });
      if (hash !== undefined) {
        for await (const chunk of createReadStream(full, { highWaterMark: 1 << 20 })) {
          hash.update(chunk);
          onProgress(done += chunk.length);
        }
      }
      files.push({
        path,
        bytes,
        state: hash === undefined ? "unknown" : hash.digest("hex") === etag ? "ok" : "damaged",
      });
    }
    return files;
  }
}

/** Returns the error of a snapshot that is not complete, or undefined if it is. */
export async function whatIsMissing(
  snapshot: Snapshot,
  withoutWeights = false,
): Promise<KvbenchError | undefined> {
  const isThere = async (path: string) => (await Deno.stat(path).catch(() => undefined))?.isFile ?? false;
  const config = `${snapshot.folder}/${CONFIG}`;
  if (!await isThere(config)) return new KvbenchError(`Cannot read ${config}: there is no such file`);
  if (withoutWeights) return undefined;
  try {
    for (const path of await weightsIn(snapshot.folder)) {
      const full = `${snapshot.folder}/${path}`;
      if (!await isThere(full)) return new KvbenchError(`Cannot read ${full}: there is no such file`);
    }
  } catch (error) {
    if (error instanceof KvbenchError) return error;
    throw error;
  }
  return undefined;
}
