/** Prints the help of every command, each behind a line that names it: one process for `help_test.ts`. */
import type { Command } from "../src/cli/options/commander.ts";
import { kvbench, main } from "../src/cli/main.ts";

/** The command lines whose help there is: no command, and each command with `--help` and `--help-all`. */
export async function helpLines(): Promise<string[][]> {
  return [
    [],
    ...pathsOf(await kvbench(), []).flatMap((path) => [[...path, "--help"], [...path, "--help-all"]]),
  ];
}

function pathsOf(command: Command, path: readonly string[]): string[][] {
  return [[...path], ...command.commands.flatMap((each) => pathsOf(each, [...path, each.name()]))];
}

/** The line before the help of a command line. */
export function headOf(args: readonly string[]): string {
  return `==> ${["kvbench", ...args].join(" ")}`;
}

if (import.meta.main) {
  for (const args of await helpLines()) {
    console.log(headOf(args));
    await main(args);
  }
}
