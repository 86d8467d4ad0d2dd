/** commander, for every command: the one place that names its version. */
export { Command, CommanderError, Help, InvalidArgumentError, Option } from "npm:commander@15.1.0";
