/**
 * How every subcommand's options are read: nothing is printed and nothing ends the process but what `main` does.
 *
 * @module
 */
import type { Command } from "./commander.ts";

/** Sets a command up to throw what is wrong, and to ask for no permission. */
export function quietly(command: Command): Command {
  return command
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({
      // Without these, commander asks for environment variables that need a permission.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      writeErr: () => {}, // the error is printed by main, in one line
    });
}
