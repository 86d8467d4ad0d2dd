/**
 * The setting that every subcommand's options are read in: only `main` prints errors and ends the process.
 *
 * @module
 */
import type { Command } from "./commander.ts";
import { UsageError } from "../../base/errors.ts";
import { addReadableHelp } from "./help.ts";
import { writeText } from "../terminal/stdout.ts";

/** Sets a command up to throw what is wrong, and to ask for no permission. */
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

/** Options whose commands say themselves what an empty text means. */
const MAY_BE_EMPTY = new Set(["prompt", "apiKey"]);

/**
 * Refuses an option that was given as an empty text, as `--out "$UNSET"` does.
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
