/**
 * The files of a model in Hugging Face layout: those in a folder, those that an index of shards names, and those of a
 * vocabulary.
 */
import { z } from "../base/zod.ts";
import { KvbenchError } from "../base/errors.ts";
import { readText, unreadable } from "../host/files.ts";
import { parseJson, type VocabularyFiles } from "../checkpoint/checkpoint.ts";
import { TOKENIZER_CONFIG, VOCABULARIES } from "../checkpoint/tokenizer_json.ts";

/** Name of the configuration's file. */
export const CONFIG = "config.json";
/** Name of the file that holds all weights. */
export const WEIGHTS = "model.safetensors";
/** Name of the index of weights in several files. */
export const WEIGHTS_INDEX = "model.safetensors.index.json";

const Index = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Returns the files that an index names, in order.
 *
 * @param index Content of `model.safetensors.index.json`.
 * @param name Name of the index in messages.
 * @throws {KvbenchError} If it is not an index, or names anything but files beside it.
 */
export function shardsOf(index: unknown, name: string): string[] {
  const parsed = Index.safeParse(index);
  if (!parsed.success) {
    throw new KvbenchError(`Cannot use ${name}: expected a weight_map from tensors to files`);
  }
  const shards = [...new Set(Object.values(parsed.data.weight_map))].sort();
  const bad = shards.find((shard) => !/^\w[\w.-]*\.safetensors$/.test(shard));
  if (bad !== undefined || shards.length === 0) {
    const found = bad === undefined ? "no file" : JSON.stringify(bad);
    throw new KvbenchError(`Cannot use ${name}: it names ${found}, expected .safetensors files beside it`);
  }
  return shards;
}

/**
 * Returns the names of the weights' files in a folder: one, or the shards that an index names.
 *
 * @throws {KvbenchError} If there are none, or only pickled ones.
 */
export async function weightsIn(folder: string): Promise<string[]> {
  if (await isFile(`${folder}/${WEIGHTS}`)) return [WEIGHTS];
  if (await isFile(`${folder}/${WEIGHTS_INDEX}`)) {
    const name = `${folder}/${WEIGHTS_INDEX}`;
    return shardsOf(await readJson(name), name);
  }
  const pickled = await pickledIn(folder);
  if (pickled === undefined) {
    throw new KvbenchError(`Cannot read ${folder}/${WEIGHTS}: there is no such file`);
  }
  throw new KvbenchError(
    `Cannot use ${folder}/${pickled}: it is a pickled file, which is a program that runs when it is opened. ` +
      `Expected ${WEIGHTS}`,
  );
}

/** Returns the names of the files in a folder that hold a vocabulary; none if there is none. */
export async function vocabularyFilesIn(folder: string): Promise<string[]> {
  for (const names of VOCABULARIES) {
    const there = await Promise.all(names.map((name) => isFile(`${folder}/${name}`)));
    if (!there.every(Boolean)) continue;
    return [...names, ...(await isFile(`${folder}/${TOKENIZER_CONFIG}`) ? [TOKENIZER_CONFIG] : [])];
  }
  return [];
}

/**
 * Reads the files of the vocabulary in a folder; undefined if there is none.
 *
 * @throws {KvbenchError} If a file can't be read.
 */
export async function vocabularyIn(folder: string): Promise<VocabularyFiles | undefined> {
  const names = await vocabularyFilesIn(folder);
  if (names.length === 0) return undefined;
  const texts: Record<string, string> = {};
  for (const name of names) texts[name] = await readText(`${folder}/${name}`);
  return { texts, folder };
}

/** Returns the name of the first pickled file in a folder. */
async function pickledIn(folder: string): Promise<string | undefined> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort().find((name) => /\.(bin|pt|pth|ckpt|pkl|h5|msgpack)$/.test(name));
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw unreadable(path, error);
  }
}

/**
 * Reads a JSON file.
 *
 * @throws {KvbenchError} If it can't be read, or isn't JSON.
 */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(await readText(path), path);
}
