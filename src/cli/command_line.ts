/**
 * How every subcommand's options are read: nothing is printed and nothing ends the process but what `main` does.
 *
 * @module
 */
import type { Command } from "./commander.ts";
import { UsageError } from "../errors.ts";

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
