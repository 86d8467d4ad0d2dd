/**
 * The text of `--help` and `--help-all`: everyday options first, the others by subject, then examples and least
 * permissions, in lines that fit the terminal.
 */
import { type Command, Help, Option } from "./commander.ts";
import { wrap } from "../../report/wrap.ts";
import { type Group, GROUPS } from "./option_spec.ts";
import { permissionFlags } from "./permissions.ts";

/** Options that `--help` shows at most, where a command has more. */
export const MOST_EVERYDAY = 10;

/** Columns of help at most: longer lines are hard to read. */
const WIDEST = 100;

/** The parts of a command's help besides its options. */
interface HelpSpec {
  /** Options that `--help` shows, in order, without dashes and with spaces between them. Default: all. */
  readonly everyday?: string;
  /** Command lines without `kvbench`, each with its effect. */
  readonly examples: readonly Example[];
}

/** A command line that help shows. */
export type Example = readonly [what: string, args: string];

const specs = new WeakMap<Command, HelpSpec>();

/** Sets the parts of a command's help besides its options. */
export function describeHelp(command: Command, spec: HelpSpec): Command {
  specs.set(command, spec);
  return command;
}

/** The examples of a command's help. */
export function examplesOf(command: Command): readonly Example[] {
  return specs.get(command)?.examples ?? [];
}

function everydayOf(command: Command): string[] | undefined {
  return specs.get(command)?.everyday?.split(" ").map((name) => `--${name}`);
}

/** Returns the options that only `--help-all` shows. */
export function furtherOptions(command: Command): Option[] {
  const everyday = everydayOf(command);
  if (everyday === undefined) return [];
  return command.options.filter(({ long, hidden }) => !hidden && !everyday.includes(long!));
}

/** Gives a command this help, and the option `--help-all`. */
export function addReadableHelp(command: Command): Command {
  command
    .helpOption("-h, --help", "Show this help")
    .addOption(new Option("--help-all", "Show every option").hideHelp())
    .on("option:help-all", () => {
      everything.add(command);
      command.help();
    });
  command.createHelp = () => new ReadableHelp();
  return command;
}

/** The commands whose every option is to be shown. */
const everything = new WeakSet<Command>();

class ReadableHelp extends Help {
  override minWidthToWrap = 20;

  override prepareContext(context: { error?: boolean; helpWidth?: number; outputHasColors?: boolean }) {
    super.prepareContext({ ...context, helpWidth: Math.min(context.helpWidth ?? 80, WIDEST) });
  }

  /** Only commands of kvbench: `kvbench help COMMAND` works, and `kvbench COMMAND --help` says the same. */
  override visibleCommands(command: Command): Command[] {
    return [...command.commands];
  }

  override subcommandTerm(command: Command): string {
    return command.name();
  }

  override visibleOptions(command: Command): Option[] {
    const options = super.visibleOptions(command).filter((option) => option.long !== "--help");
    const everyday = everydayOf(command);
    if (everything.has(command)) {
      const place = ({ helpGroupHeading }: Option) => GROUPS.indexOf(helpGroupHeading as Group);
      return options.toSorted((a, b) => place(a) - place(b));
    }
    if (everyday === undefined) return options;
    return everyday.map((name) => options.find(({ long }) => long === name)!);
  }

  override optionDescription({ description, argChoices, defaultValue, defaultValueDescription }: Option) {
    const choices = argChoices ? `: ${argChoices.join(", ")}` : "";
    const shown = defaultValueDescription ?? shownDefault(defaultValue);
    return `${description}${choices}${shown === undefined ? "" : `. Default: ${shown}`}`;
  }

  /** Groups have headings where every option is shown. */
  override groupItems<T extends Command | Option>(
    _all: T[],
    visible: T[],
    groupOf: (item: T) => string,
  ): Map<string, T[]> {
    const [first] = visible;
    if (!(first instanceof Option) || everything.has(this.#command!)) return Map.groupBy(visible, groupOf);
    return new Map([["Options", visible]]);
  }

  override formatItemList(heading: string, items: string[], helper: Help): string[] {
    return super.formatItemList(heading.endsWith(":") ? heading : `${heading}:`, items, helper);
  }

  #command: Command | undefined;

  override formatHelp(command: Command, helper: Help): string {
    this.#command = command;
    const width = this.helpWidth ?? 80;
    const parts = [super.formatHelp(command, helper).trimEnd()];
    const { length } = furtherOptions(command);
    if (length > 0 && !everything.has(command)) {
      parts.push(`${length} more options, by subject: ${nameOf(command)} --help-all`);
    }
    const examples = examplesOf(command);
    if (examples.length > 0) parts.push(exampleLines(examples, width).join("\n"));
    const flags = permissionFlags(command.name());
    if (command.parent === null) parts.push(...STANDS_FOR);
    if (flags.length > 0) {
      const short = flags.flatMap((flag) => splitFlag(flag, width - 2));
      const [first = "", ...rest] = wrap(`Least permissions: ${short.join(" ")}`, { width: width - 2 });
      parts.push([first, ...rest.map((line) => `  ${line}`)].join("\n"));
    }
    return `${parts.join("\n\n")}\n`;
  }
}

/** A permission flag as several of the same name, each of at most `width` columns: Deno joins them. */
function splitFlag(flag: string, width: number): string[] {
  const [name = "", values = ""] = flag.split("=");
  const flags: string[] = [];
  for (const value of values.split(",")) {
    const last = flags.at(-1);
    if (last !== undefined && last.length + 1 + value.length <= width) flags.push(`${flags.pop()},${value}`);
    else flags.push(`${name}=${value}`);
  }
  return flags;
}

/** A default as text; undefined where it is none, or goes without saying. */
function shownDefault(value: unknown): string | undefined {
  if (value === undefined || typeof value === "boolean") return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.join(",");
  return String(value);
}

/** Examples as lines: what each does, and the command under it. A long command goes on in further lines. */
function exampleLines(examples: readonly Example[], width: number): string[] {
  return [
    "Examples:",
    ...examples.flatMap(([what, args]) => {
      const lines = wrap(`$ kvbench ${args}`, { width: width - 6 });
      return [
        `  ${what}:`,
        ...lines.map((line, i) =>
          `${i === 0 ? "    " : "        "}${line}${i < lines.length - 1 ? " \\" : ""}`
        ),
      ];
    }),
  ];
}

const STANDS_FOR = [
  "kvbench COMMAND --help shows a command's options, examples and permissions.\n" +
  "kvbench stands for: deno run [permissions] mod.ts, or dist/kvbench.js",
];

/** The help of a program that is given no command: what to try first, and which commands there are. */
export function shortHelp(program: Command): string {
  const groups = Map.groupBy(program.commands, (command) => command.helpGroup());
  const pad = Math.max(...[...groups.keys()].map(({ length }) => length)) + 3;
  return [
    `${program.description()}`,
    "",
    ...exampleLines(examplesOf(program), 80),
    "",
    "Commands:",
    ...[...groups].flatMap(([heading, commands]) => {
      const names = wrap(commands.map((command) => command.name()).join(", "), { width: 78 - pad });
      return names.map((line, i) => `  ${(i === 0 ? `${heading}:` : "").padEnd(pad)}${line}`);
    }),
    "",
    "kvbench --help describes them; kvbench COMMAND --help shows the options of one.",
    "",
  ].join("\n");
}

/** A command's name with those of its parents. */
function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
}
