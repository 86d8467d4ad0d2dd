/**
 * The checkpoint that a model's name stands for: the embedded one, a folder in Hugging Face layout, or a repository on
 * the hub, fetched into its cache on first use.
 */
import { KvbenchError, UsageError } from "../base/errors.ts";
import { fileSource, readText, unreadable } from "../host/files.ts";
import {
  type Checkpoint,
  openCheckpoint,
  type TensorSource,
  type WeightsFile,
} from "../checkpoint/checkpoint.ts";
import { parseConfig, type PresetName, PRESETS } from "../checkpoint/config.ts";
import { EMBEDDED_NAME, embeddedConfig, openEmbedded } from "./embedded.ts";
import { Hub } from "./hub.ts";
import { CONFIG, readJson, vocabularyIn, WEIGHTS, weightsIn } from "./model_files.ts";
import { hubModelOf } from "./names.ts";
import type { FetchEvents } from "./fetch_blob.ts";
import type { FetchOptions } from "./repository.ts";
import type { RetryOptions } from "./retry.ts";
import type { HubSettings } from "./settings.ts";

/** Options of {@linkcode locateModel} and {@linkcode describeModel}. */
export interface LocateOptions {
  /**
   * Called while files are fetched.
   *
   * @internal For the displays of kvbench.
   */
  readonly events?: FetchEvents;
  /**
   * Tries and pauses. Default: {@linkcode RETRY}.
   *
   * @internal For tests.
   */
  readonly retry?: RetryOptions;
  /**
   * The hub to ask. Default: the one that the environment names.
   *
   * @internal For tests.
   */
  readonly settings?: HubSettings;
}

/** Names that a model may have, for messages. */
export const MODEL_NAMES = `${EMBEDDED_NAME}, ${
  Object.keys(PRESETS).join(", ")
}, OWNER/NAME or OWNER/NAME@REVISION on the hub, or a folder`;

/**
 * Opens the checkpoint that a name stands for.
 *
 * @param name `tiny`, a published model, `owner/name` or `owner/name@revision` on the hub, or a folder with
 * `config.json` and `model.safetensors`. A folder comes before a name of the hub; a folder called `tiny` is `./tiny`.
 * @throws {UsageError} If the name is none of these.
 * @throws {KvbenchError} If the checkpoint is incomplete, damaged, or can't be fetched or read.
 */
export async function locateModel(name: string, options: LocateOptions = {}): Promise<TensorSource> {
  const { events } = options;
  if (name === EMBEDDED_NAME) {
    return await openEmbedded({
      onDownload: ({ url, bytes }) => events?.begin?.(url.href, bytes),
      onProgress: (received, total) => events?.progress?.(WEIGHTS, received, total),
      onRetry: events?.retry,
    });
  }
  return await openFolder(name, await folderOf(name, options));
}

/**
 * Returns the configuration and the vocabulary of the model that a name stands for. Weights are not fetched; the
 * configurations of published models are built in.
 *
 * @throws {UsageError} If the name stands for nothing.
 * @throws {KvbenchError} If the configuration is damaged, or can't be fetched or read.
 */
export async function describeModel(
  name: string,
  options: LocateOptions = {},
): Promise<Pick<TensorSource, "config" | "vocabulary">> {
  if (Object.hasOwn(PRESETS, name)) return { config: PRESETS[name as PresetName] };
  if (name === EMBEDDED_NAME) return { config: await embeddedConfig() };
  const folder = await folderOf(name, { ...options, withoutWeights: true });
  const path = `${folder}/${CONFIG}`;
  return { config: parseConfig(await readJson(path), path), vocabulary: () => vocabularyIn(folder) };
}

/** Returns the folder that holds a model's files, which are fetched if they are missing. */
async function folderOf(
  name: string,
  { settings, ...options }: LocateOptions & FetchOptions,
): Promise<string> {
  if (await isFolder(name)) return name.replace(/(?<=.)[/\\]+$/, "");
  const model = hubModelOf(name);
  if (model !== undefined) return (await new Hub(settings).open(model, options)).folder;
  if (!/[/\\]/.test(name)) {
    throw new UsageError(`Unknown model ${JSON.stringify(name)}: expected ${MODEL_NAMES}`);
  }
  const info = await Deno.stat(name).catch((error: unknown) => {
    if (error instanceof Deno.errors.NotFound) {
      throw new KvbenchError(`Cannot open model ${name}: there is no such folder`);
    }
    throw unreadable(name, error);
  });
  const what = info.isFile ? "a file" : "no folder";
  throw new KvbenchError(
    `Cannot open model ${name}: it is ${what}, expected a folder with ${CONFIG} and weights`,
  );
}

async function openFolder(name: string, folder: string): Promise<Checkpoint> {
  const configName = `${folder}/${CONFIG}`;
  const configJson = await readText(configName);
  const weights: WeightsFile[] = [];
  try {
    for (const path of await weightsIn(folder)) {
      weights.push({ bytes: await fileSource(`${folder}/${path}`), name: `${folder}/${path}` });
    }
  } catch (error) {
    for (const { bytes } of weights) bytes.close();
    throw error;
  }
  return await openCheckpoint({
    name,
    configJson,
    configName,
    weights,
    vocabulary: () => vocabularyIn(folder),
  });
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false; // missing or unreadable
  }
}
