/**
 * Repositories that models' names stand for, on a hub with Hugging Face's protocol. Knows no network and no files.
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

/** A model on the hub. */
export interface HubModel {
  /** `owner/name`. */
  readonly repository: string;
  /** A branch, a tag, a commit or another reference, such as `refs/pr/1`. */
  readonly revision: string;
}

/** The revision of a name without one. */
export const MAIN = "main";

/**
 * Returns the model that `OWNER/NAME` or `OWNER/NAME@REVISION` stands for, or undefined if the name is not valid. No valid
 * name or revision leads out of a folder.
 */
export function hubModelOf(name: string): HubModel | undefined {
  const [, own = "", revision = MAIN] = name.match(/^([^@]*)(?:@(.*))?$/s) ?? [];
  const repository = repositoryOf(own);
  return repository !== undefined && isRevision(revision) ? { repository, revision } : undefined;
}

/** Returns the name by which a model is given: without its revision if that is `main`. */
export function nameOf({ repository, revision }: HubModel): string {
  return revision === MAIN ? repository : `${repository}@${revision}`;
}

/** Tells whether a revision is a commit, which no branch or tag can move. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** Tells whether Git could have a reference of that name (git-check-ref-format), in ASCII letters, digits and `._-+/`. */
function isRevision(text: string): boolean {
  return text.length <= 200 &&
    text.split("/").every((part) =>
      /^\w[\w.+-]*$/.test(part) && !part.includes("..") && !/\.(lock)?$/.test(part)
    );
}

/**
 * Returns the repository `owner/name` that a model's name stands for, or undefined if it is not valid. The rules are the
 * hub's (`validate_repo_id` in `huggingface_hub`).
 */
function repositoryOf(name: string): string | undefined {
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
