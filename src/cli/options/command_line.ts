/** Settings of every command: errors are thrown, so that `main` alone prints them and ends the process. */
import type { Command } from "./commander.ts";
import { UsageError } from "../../base/errors.ts";
import { addReadableHelp } from "./help.ts";
import { writeText } from "../terminal/stdout.ts";

/** Sets a command up to throw errors, and to need no permission. */
export function quietly(command: Command): Command {
  return addReadableHelp(command)
    .exitOverride()
    .enablePositionalOptions() // or a command would take --help-all of its subcommand
    .allowExcessArguments(false)
    .configureOutput({
      // Without these, commander asks for environment variables that need a permission.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      writeOut: writeText,
      writeErr: () => {}, // the error is printed by main, in one line
    })
    .hook("preAction", (_, action) => refuseEmpty(action));
}

/** Options for which commands handle an empty text themselves. */
const MAY_BE_EMPTY = new Set(["prompt", "apiKey"]);

/**
 * Refuses an option with an empty text, as in `--out "$UNSET"`.
 *
 * @throws {UsageError} Naming it.
 */
function refuseEmpty(command: Command): void {
  for (const option of command.options) {
    const name = option.attributeName();
    if (MAY_BE_EMPTY.has(name) || command.getOptionValue(name) !== "") continue;
    throw new UsageError(`${option.long} is empty: expected ${option.flags.split(" ")[1] ?? "a value"}`);
  }
}
