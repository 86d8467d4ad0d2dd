/**
 * The setting that every subcommand's options are read in: only `main` prints errors and ends the process.
 *
 * @module
 */
import type { Command } from "./commander.ts";
import { addReadableHelp } from "./help.ts";
import { writeText } from "./stdout.ts";

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
    });
}
