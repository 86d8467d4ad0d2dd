/**
 * The command line: reads options, runs a subcommand, and turns errors into one line and an exit code.
 *
 * Exit codes: 0 success, 1 a failure, 2 a wrong argument, 3 a comparison found something worse than allowed, 141 where
 * the program that reads its output has closed it, as shells report SIGPIPE.
 */
import { Command, CommanderError } from "./options/commander.ts";
import { KvbenchError, UsageError } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";
import { quietly } from "./options/command_line.ts";
import { crashReport } from "./session/crash_report.ts";
import { describeHelp, type Example, shortHelp } from "./options/help.ts";
import { ReaderGoneError, writeText } from "./terminal/stdout.ts";

/** Runs the command line and sets the process's exit code. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    const program = await kvbench(args[0]);
    if (args.length === 0) return writeText(shortHelp(program));
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    const { message, code } = explain(error);
    if (message !== "") console.error(`kvbench: ${message}`);
    const report = code === 1 ? crashReport(error, args) : undefined;
    if (report !== undefined) console.error(report);
    Deno.exitCode = code;
  }
}

/** Loads and declares one subcommand. */
type LoadCommand = () => Promise<Command>;

/** The subcommands by subject. Each is loaded when it runs: no start waits for what other commands need. */
const COMMANDS: Readonly<Record<string, Readonly<Record<string, LoadCommand>>>> = {
  "Measure": {
    bench: async () => (await import("./commands/bench.ts")).benchCommand(),
    ladder: async () => (await import("./commands/ladder.ts")).ladderCommand(),
    profile: async () => (await import("./commands/profile.ts")).profileCommand(),
    perplexity: async () => (await import("./commands/perplexity.ts")).perplexityCommand(),
    quality: async () => (await import("./commands/quality.ts")).qualityCommand(),
    "serve-sim": async () => (await import("./commands/serve_sim.ts")).serveSimCommand(),
    paper: async () => (await import("./commands/paper.ts")).paperCommand(),
  },
  "Read results": {
    report: async () => (await import("./commands/report.ts")).reportCommand(),
    compare: async () => (await import("./commands/compare.ts")).compareCommand(),
  },
  "Use the model": {
    generate: async () => (await import("./commands/generate.ts")).generateCommand(),
    logits: async () => (await import("./commands/logits.ts")).logitsCommand(),
    serve: async () => (await import("./commands/serve.ts")).serveCommand(),
    load: async () => (await import("./commands/load.ts")).loadCommand(),
  },
  "Look after the machine": {
    doctor: async () => (await import("./commands/doctor.ts")).doctorCommand(),
    selftest: async () => (await import("./commands/selftest.ts")).selftestCommand(),
    weights: async () => (await import("./commands/weights.ts")).weightsCommand(),
  },
};

/**
 * Declares the program.
 *
 * @param only The one subcommand to load. Default, and where there is no such one: all.
 */
export async function kvbench(only?: string): Promise<Command> {
  const program = new Command("kvbench")
    .usage("COMMAND [options]")
    .description("Shows on your own GPU what a KV cache buys and what it costs.")
    .version(VERSION, "-V, --version", "Show the version");
  const known = Object.values(COMMANDS).some((commands) =>
    only !== undefined && Object.hasOwn(commands, only)
  );
  for (const [group, commands] of Object.entries(COMMANDS)) {
    program.commandsGroup(group);
    for (const [name, load] of Object.entries(commands)) {
      if (!known || name === only) program.addCommand(await load());
    }
  }
  describeHelp(program, { examples: EXAMPLES });
  for (const command of withSubcommands(program)) quietly(command);
  return program;
}

const EXAMPLES: readonly Example[] = [
  ["Compare the strategies on the embedded model", "bench"],
  ["Continue a text", 'generate "Once upon a time"'],
  ["Show the adapter and the models that fit", "doctor"],
];

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** The line and the exit code that an error ends the program with. */
function explain(error: unknown): { message: string; code: number } {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { message: "", code: 0 };
    return { message: usageMessage(error), code: 2 };
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

/** Says what commander says in kvbench's form: sentence case, what is expected behind a colon. */
function usageMessage({ code, message }: CommanderError): string {
  const said = oneLine(message)
    .replace(/^error: (.)/, (_, first: string) => first.toUpperCase())
    .replace(/ is invalid\. Allowed choices are (.+)\.$/, " is not valid: expected $1")
    .replace(/ is invalid\. (.)/, (_, first: string) => ` is not valid: ${first.toLowerCase()}`)
    .replace(/ \(Did you mean (.+)\?\)$/, ": did you mean $1?");
  if (code !== "commander.unknownCommand" || said.endsWith("?")) return said;
  return `${said}: kvbench --help lists all commands`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ");
}
