/**
 * The API key of `serve` and `load`: given as an option, or in a file, which other users of the machine can't see in the
 * list of processes.
 */
import type { Command } from "./commander.ts";
import { UsageError } from "../../base/errors.ts";
import { readText } from "../../host/files.ts";
import { addOptions, type Group, inGroup, type Values } from "./option_spec.ts";

const apiKeyOptions = (help: string, group: Group) =>
  inGroup(group, { flags: "--api-key <key>", help }, {
    flags: "--api-key-file <file>",
    help: "File with the API key, which no list of processes shows",
  });

/** Values of {@link addApiKeyOptions}. */
export type ApiKeyOptions = Values<ReturnType<typeof apiKeyOptions>>;

/** Adds the options to a subcommand. */
export function addApiKeyOptions(command: Command, help: string, group: Group): Command {
  return addOptions(command, ...apiKeyOptions(help, group));
}

/**
 * The key, if there is one.
 *
 * @throws {UsageError} If two are given, or it is empty.
 * @throws {KvbenchError} If the file can't be read.
 */
export async function apiKeyOf({ apiKey, apiKeyFile }: ApiKeyOptions): Promise<string | undefined> {
  if (apiKey !== undefined && apiKeyFile !== undefined) {
    throw new UsageError("Both --api-key and --api-key-file are given: expected one");
  }
  const key = apiKeyFile === undefined ? apiKey : (await readText(apiKeyFile)).trim();
  if (key === "") throw new UsageError("The API key is empty");
  return key;
}
