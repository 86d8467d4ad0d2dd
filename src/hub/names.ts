/**
 * Repositories that models' names stand for, on a hub with Hugging Face's protocol. Knows no network and no files.
 *
 * @module
 */
import type { PresetName } from "../checkpoint/config.ts";

/** Repositories of the published GPT-2 models. */
export const PUBLISHED: Readonly<Record<PresetName, string>> = {
  "distilgpt2": "distilbert/distilgpt2",
  "gpt2": "openai-community/gpt2",
  "gpt2-medium": "openai-community/gpt2-medium",
  "gpt2-large": "openai-community/gpt2-large",
  "gpt2-xl": "openai-community/gpt2-xl",
};

/**
 * Returns the repository `owner/name` that a model's name stands for, or undefined if it is not valid. The rules are the
 * hub's (`validate_repo_id` in `huggingface_hub`); no valid name leads out of a folder.
 */
export function repositoryOf(name: string): string | undefined {
  if (Object.hasOwn(PUBLISHED, name)) return PUBLISHED[name as PresetName];
  const part = /^[A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9_])?$/;
  const parts = name.split("/");
  const valid = parts.length === 2 && name.length <= 96 && parts.every((each) => part.test(each)) &&
    !/--|\.\./.test(name) && !name.endsWith(".git");
  return valid ? name : undefined;
}

/** Returns the names of a repository in a cache: its own, and a published model's name without owner. */
export function cachedNames(repository: string): string[] {
  const old = Object.entries(PUBLISHED).find(([, published]) => published === repository)?.[0];
  return old === undefined ? [repository] : [repository, old];
}

/** Returns the name of a repository's folder in a cache. */
export function folderName(repository: string): string {
  return `models--${repository.replaceAll("/", "--")}`;
}

/** Returns the repository of a folder in a cache, or undefined if the folder holds no model. */
export function repositoryOfFolder(folder: string): string | undefined {
  const name = folder.match(/^models--(.+)$/)?.[1]?.split("--");
  return name === undefined || name.length > 2 ? undefined : name.join("/");
}
