/**
 * The API key of `serve` and `load`: given as an option, or in a file, which other users of the machine can't see in the
 * list of processes.
 *
 * @module
 */
import type { Command } from "./commander.ts";
import { UsageError } from "../errors.ts";
import { readText } from "../model/byte_source.ts";

/** Values of {@link addApiKeyOptions}. */
export interface ApiKeyOptions {
  readonly apiKey?: string;
  readonly apiKeyFile?: string;
}

/** Adds the options to a subcommand. */
export function addApiKeyOptions(command: Command, what: string): Command {
  return command
    .option("--api-key <key>", what)
    .option("--api-key-file <file>", "where the key is, in place of the key itself");
}

/**
 * The key, if there is one.
 *
 * @throws {UsageError} If two are given, or it is empty.
 * @throws {KvbenchError} If the file can't be read.
 */
export async function apiKeyOf({ apiKey, apiKeyFile }: ApiKeyOptions): Promise<string | undefined> {
  if (apiKey !== undefined && apiKeyFile !== undefined) {
    throw new UsageError("Both --api-key and --api-key-file are given: wanted one");
  }
  const key = apiKeyFile === undefined ? apiKey : (await readText(apiKeyFile)).trim();
  if (key === "") throw new UsageError("The API key is empty");
  return key;
}
