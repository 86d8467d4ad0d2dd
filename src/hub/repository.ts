/** A model's repository on the hub: the files that make the model, and their way into the cache. */
import { KvbenchError } from "../base/errors.ts";
import { parseConfig } from "../checkpoint/config.ts";
import { TOKENIZER_CONFIG, VOCABULARIES } from "../checkpoint/tokenizer_json.ts";
import type { HubCache, Snapshot } from "./cache.ts";
import { ChangedError, fetchBlob, type FetchEvents } from "./fetch_blob.ts";
import { hashOf } from "./hash.ts";
import type { HubClient } from "./http.ts";
import { CONFIG, readJson, shardsOf, WEIGHTS, WEIGHTS_INDEX } from "./model_files.ts";
import { type HubModel, nameOf, PUBLISHED } from "./names.ts";
import { RefusedError, type RemoteFile, remoteFile } from "./remote_file.ts";
import { RETRY, type RetryOptions } from "./retry.ts";

/** Options of {@linkcode fetchModel}. */
export interface FetchOptions {
  /** Called as the fetch goes on. */
  readonly events?: FetchEvents;
  /** Number and pace of tries. Default: {@linkcode RETRY}. */
  readonly retry?: RetryOptions;
  /** True to fetch the configuration and the vocabulary alone. Default: false. */
  readonly withoutWeights?: boolean;
}

/** Pickled files of weights, which run as programs in the library that reads them. */
const PICKLED = ["pytorch_model.bin", "pytorch_model.bin.index.json"];

/**
 * Fetches the missing files of a model at its revision's present commit; the cache's revision refers to that commit once
 * all of them are there.
 *
 * @throws {KvbenchError} If there is no such model, it isn't a GPT-2 in safetensors, or it can't be fetched whole.
 */
export async function fetchModel(
  client: HubClient,
  cache: HubCache,
  model: HubModel,
  options: FetchOptions = {},
): Promise<Snapshot> {
  await cache.prepare(model.repository);
  const fetch = new ModelFetch(client, cache, model, options);
  try {
    return await fetch.run();
  } catch (error) {
    if (!(error instanceof ChangedError)) throw error;
    return await fetch.run(error);
  }
}

class ModelFetch {
  readonly #client: HubClient;
  readonly #cache: HubCache;
  readonly #model: HubModel;
  /** Name of the model in messages. */
  readonly #name: string;
  readonly #options: FetchOptions;

  constructor(client: HubClient, cache: HubCache, model: HubModel, options: FetchOptions) {
    this.#client = client;
    this.#cache = cache;
    this.#model = model;
    this.#name = nameOf(model);
    this.#options = options;
  }

  /** @param failed Error of a file that differed from its description; it is thrown if that is still the same. */
  async run(failed?: ChangedError): Promise<Snapshot> {
    const config = await this.#find(CONFIG, failed);
    const configPath = await this.#fetch(config, config);
    // Checked before anything large is fetched.
    parseConfig(await readJson(configPath), `${CONFIG} of ${this.#name}`);
    for (const file of await this.#vocabulary(failed)) await this.#fetch(file, config);
    if (!this.#options.withoutWeights) {
      for (const file of await this.#weights(config, failed)) await this.#fetch(file, config);
    }
    await this.#cache.point(this.#model, config.commit);
    const folder = configPath.slice(0, -`/${CONFIG}`.length);
    return { ...this.#model, commit: config.commit, folder };
  }

  /** Finds the files of a vocabulary, of which the published models need none: it is built in. */
  async #vocabulary(failed?: ChangedError): Promise<RemoteFile[]> {
    if (Object.values(PUBLISHED).includes(this.#model.repository)) return [];
    for (const names of VOCABULARIES) {
      const files: RemoteFile[] = [];
      for (const name of names) {
        const file = await this.#findIfThere(name, failed);
        if (file === undefined) break;
        files.push(file);
      }
      if (files.length < names.length) continue;
      const settings = await this.#findIfThere(TOKENIZER_CONFIG, failed);
      return settings === undefined ? files : [...files, settings];
    }
    return [];
  }

  async #weights(config: RemoteFile, failed?: ChangedError): Promise<RemoteFile[]> {
    const whole = await this.#findIfThere(WEIGHTS, failed);
    if (whole !== undefined) return [whole];
    const index = await this.#findIfThere(WEIGHTS_INDEX, failed);
    if (index === undefined) throw await this.#noWeights();
    const name = `${WEIGHTS_INDEX} of ${this.#name}`;
    const shards = shardsOf(await readJson(await this.#fetch(index, config)), name);
    const files: RemoteFile[] = [];
    for (const shard of shards) files.push(await this.#find(shard, failed));
    return files;
  }

  async #noWeights(): Promise<KvbenchError> {
    for (const path of PICKLED) {
      if (await this.#findIfThere(path) === undefined) continue;
      return new KvbenchError(
        `Cannot use ${this.#name}: it has its weights in ${path} alone, a pickled file, which is a program ` +
          `that runs when it is opened. Expected ${WEIGHTS}, which may wait in a pull request: ` +
          `${this.#model.repository}@refs/pr/N`,
      );
    }
    return new KvbenchError(`Cannot use ${this.#name}: it has no ${WEIGHTS}`);
  }

  async #findIfThere(path: string, failed?: ChangedError): Promise<RemoteFile | undefined> {
    try {
      return await this.#find(path, failed);
    } catch (error) {
      if (error instanceof RefusedError && error.status === 404) return undefined;
      throw error;
    }
  }

  async #find(path: string, failed?: ChangedError): Promise<RemoteFile> {
    const file = await remoteFile(this.#client, { ...this.#model, path }, {
      retry: this.#options.retry ?? RETRY,
      onRetry: this.#options.events?.retry,
    });
    if (failed?.file.path === path && failed.file.etag === file.etag && failed.file.commit === file.commit) {
      throw failed;
    }
    return file;
  }

  /** Fetches a file and returns its path. */
  async #fetch(file: RemoteFile, config: RemoteFile): Promise<string> {
    const url = this.#client.fileUrl(file);
    if (file.commit !== config.commit) {
      throw new ChangedError(
        url,
        config,
        `the hub has commit ${file.commit} by now, ${CONFIG} is of ${config.commit}`,
      );
    }
    if (file.path.endsWith(".safetensors") && hashOf(file.etag) === undefined) {
      throw new KvbenchError(
        `Cannot download ${url}: the hub gives no SHA-256 of it (X-Linked-ETag), it can't be verified`,
      );
    }
    await fetchBlob(this.#client, file, {
      ...this.#cache.blobOf(file),
      retry: this.#options.retry ?? RETRY,
      events: this.#options.events ?? {},
    });
    return await this.#cache.link(file);
  }
}
