/**
 * The command line: reads options, runs a subcommand, and turns errors into one line and an exit code.
 *
 * Exit codes: 0 success, 1 a failure, 2 a wrong argument, 3 a comparison found something worse than allowed, 141 where
 * whoever reads its output has left, as a shell has it of SIGPIPE.
 *
 * @module
 */
import { Command, CommanderError } from "./commander.ts";
import { KvbenchError, UsageError } from "../errors.ts";
import { VERSION } from "../version.ts";
import { benchCommand } from "./bench.ts";
import { quietly } from "./command_line.ts";
import { compareCommand } from "./compare.ts";
import { crashReport } from "./crash_report.ts";
import { doctorCommand } from "./doctor.ts";
import { generateCommand } from "./generate.ts";
import { loadCommand } from "./load.ts";
import { logitsCommand } from "./logits.ts";
import { paperCommand } from "./paper.ts";
import { perplexityCommand } from "./perplexity.ts";
import { permissionHelp } from "./permissions.ts";
import { profileCommand } from "./profile.ts";
import { reportCommand } from "./report.ts";
import { selftestCommand } from "./selftest.ts";
import { serveCommand } from "./serve.ts";
import { serveSimCommand } from "./serve_sim.ts";
import { ReaderGoneError } from "./stdout.ts";
import { weightsCommand } from "./weights.ts";

/** Runs the command line and sets the process's exit code. */
export async function main(args: readonly string[]): Promise<void> {
  const program = new Command("kvbench")
    .description("See, measured on your own GPU, what a KV cache buys and what it costs")
    .version(VERSION)
    .addCommand(benchCommand())
    .addCommand(compareCommand())
    .addCommand(reportCommand())
    .addCommand(generateCommand())
    .addCommand(logitsCommand())
    .addCommand(perplexityCommand())
    .addCommand(profileCommand())
    .addCommand(selftestCommand())
    .addCommand(serveCommand())
    .addCommand(loadCommand())
    .addCommand(serveSimCommand())
    .addCommand(paperCommand())
    .addCommand(weightsCommand())
    .addCommand(doctorCommand());
  for (const command of withSubcommands(program)) quietly(command);
  for (const command of program.commands) command.addHelpText("after", permissionHelp(command.name()));
  try {
    if (args.length === 0) return program.outputHelp();
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    const { message, code } = explain(error);
    if (message !== "") console.error(`kvbench: ${message}`);
    const report = code === 1 ? crashReport(error, args) : undefined;
    if (report !== undefined) console.error(report);
    Deno.exitCode = code;
  }
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** The line and the exit code that an error ends the program with. */
function explain(error: unknown): { message: string; code: number } {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { message: "", code: 0 };
    return { message: error.message.replace(/^error: /, "").replaceAll("\n", " "), code: 2 };
  }
  if (error instanceof ReaderGoneError) return { message: "", code: 141 };
  if (error instanceof UsageError) return { message: error.message, code: 2 };
  if (error instanceof KvbenchError) return { message: oneLine(error.message), code: 1 };
  if (error instanceof Deno.errors.NotCapable) {
    return { message: `A permission is missing: ${oneLine(error.message)}`, code: 1 };
  }
  const stack = error instanceof Error ? error.stack ?? error.message : String(error);
  return { message: `A defect in kvbench, please report it: ${stack}`, code: 1 };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ");
}
