/**
 * Finds the checkpoint that a model's name stands for: the embedded one, or a folder in Hugging Face layout.
 *
 * @module
 */
import { KvbenchError, UsageError } from "../errors.ts";
import { fileSource, unreadable } from "../model/byte_source.ts";
import { type Checkpoint, openCheckpoint } from "../model/checkpoint.ts";
import { PRESETS } from "../model/config.ts";
import type { DownloadProgress } from "./download.ts";
import { EMBEDDED_NAME, openEmbedded } from "./embedded.ts";

/** Options of {@linkcode locateModel}. */
export interface LocateOptions {
  /** Called while weights are downloaded. */
  readonly onProgress?: DownloadProgress;
}

/**
 * Opens the checkpoint that a name stands for.
 *
 * @param name `tiny`, or a folder with `config.json` and `model.safetensors`. A folder called `tiny` is `./tiny`.
 * @throws {UsageError} If the name is neither.
 * @throws {KvbenchError} If the checkpoint is incomplete, damaged, or can't be read.
 */
export async function locateModel(name: string, options: LocateOptions = {}): Promise<Checkpoint> {
  if (name === EMBEDDED_NAME) return await openEmbedded(options);
  if (/[/\\]/.test(name) || await isFolder(name)) return await openFolder(name);
  const wanted = `wanted ${EMBEDDED_NAME} or a folder with config.json and model.safetensors`;
  if (Object.hasOwn(PRESETS, name)) {
    throw new UsageError(
      `Model ${name} is known but cannot be fetched yet: ${wanted}; --weights synthetic needs none`,
    );
  }
  throw new UsageError(`Unknown model ${JSON.stringify(name)}: ${wanted}`);
}

async function openFolder(folder: string): Promise<Checkpoint> {
  const info = await Deno.stat(folder).catch((error: unknown) => {
    if (error instanceof Deno.errors.NotFound) {
      throw new KvbenchError(`Cannot open model ${folder}: there is no such folder`);
    }
    throw unreadable(folder, error);
  });
  if (!info.isDirectory) {
    throw new KvbenchError(
      `Cannot open model ${folder}: it is a file, wanted a folder with config.json and model.safetensors`,
    );
  }
  const root = folder.replace(/(?<=.)[/\\]+$/, "");
  const configName = `${root}/config.json`;
  const weightsName = `${root}/model.safetensors`;
  const configJson = await Deno.readTextFile(configName).catch((error: unknown) => {
    throw unreadable(configName, error);
  });
  const weights = await fileSource(weightsName);
  return await openCheckpoint({ name: folder, configJson, configName, weights, weightsName });
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    // Not there, or not to be seen: either way not a folder that could be opened.
    return false;
  }
}
