/**
 * Help as a terminal of 80 columns shows it, held against the files in `snapshots/help`. After a change to help, write
 * them anew with `UPDATE_SNAPSHOTS=1 deno test -A tests/help_test.ts`, and read what changed.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Command } from "../src/cli/options/commander.ts";
import { examplesOf, furtherOptions, MOST_EVERYDAY } from "../src/cli/options/help.ts";
import { kvbench as program } from "../src/cli/main.ts";
import { ignore as ignoreCli, kvbench } from "./cli_support.ts";
import { headOf, helpLines } from "./print_help.ts";
import { denoInTerminal, ignore, plain } from "./pseudo_terminal.ts";

const COLUMNS = 80;
const FOLDER = fileURLToPath(new URL("snapshots/help/", import.meta.url));
const PRINT_HELP = fileURLToPath(new URL("print_help.ts", import.meta.url));

Deno.test("Help of every command reads at 80 columns as its snapshot says", { ignore }, async () => {
  const { code, shown } = await denoInTerminal(["run", "--no-prompt", PRINT_HELP], { columns: COLUMNS });
  const text = plain(shown);
  assert.equal(code, 0, text);
  const lines = await helpLines();
  const heads = lines.map((args) => text.indexOf(`${headOf(args)}\n`));
  const update = Deno.env.has("UPDATE_SNAPSHOTS");
  for (const [i, args] of lines.entries()) {
    const head = headOf(args);
    assert.ok(heads[i]! >= 0, `${head}: ${text}`);
    const help = text.slice(heads[i]! + head.length + 1, heads[i + 1]);
    for (const line of help.split("\n")) assert.ok(line.length <= COLUMNS, `${head}: ${line}`);
    const path = `${FOLDER}${["kvbench", ...args].join("_").replaceAll("--", "")}.txt`;
    if (update) await Deno.writeTextFile(path, help);
    else {assert.equal(
        help,
        await Deno.readTextFile(path),
        `${head}: see tests/help_test.ts for new snapshots`,
      );}
  }
  const names = new Set([...Deno.readDirSync(FOLDER)].map(({ name }) => name));
  assert.equal(names.size, lines.length, "a snapshot is of no command");
});

Deno.test("Help goes on in lines of at most 100 columns where a terminal is wider", { ignore }, async () => {
  const { shown } = await denoInTerminal(["run", "--no-prompt", PRINT_HELP], { columns: 200 });
  const longest = Math.max(...plain(shown).split("\n").map(({ length }) => length));
  assert.ok(longest > COLUMNS && longest <= 100, `${longest}`);
});

Deno.test("--help shows at most ten options of a command that has more, says how many it leaves out, and --help-all shows them", async () => {
  for (const command of commandsOf(await program())) {
    const { length } = furtherOptions(command);
    const visible = command.options.filter(({ hidden }) => !hidden);
    assert.ok(visible.length - length <= MOST_EVERYDAY, command.name());
    const help = command.helpInformation();
    assert.equal(
      /^(\d+) more options, .+ --help-all$/m.exec(help)?.[1],
      length > 0 ? `${length}` : undefined,
    );
    const shown = visible.filter(({ flags }) => help.includes(`\n  ${flags}`));
    assert.equal(shown.length, visible.length - length, command.name());
  }
});

/** Options whose value differs between commands: a form here, a file or a folder there, or none. */
const DIFFERENT = ["--json", "--out", "--output"];

Deno.test("An option takes the same kind of value in every command", async () => {
  const options = commandsOf(await program()).flatMap((command) => command.options);
  for (const [name, same] of Map.groupBy(options, ({ long }) => long!)) {
    if (DIFFERENT.includes(name)) continue;
    assert.deepEqual([...new Set(same.map(({ flags }) => flags))], [same[0]!.flags]);
  }
});

Deno.test("Every command has two or three examples, and takes each of them", async () => {
  for (const name of namesOf(await program())) {
    const examples = examplesOf(find(await program(), name));
    const several = name.length === 1;
    assert.ok(several ? [2, 3].includes(examples.length) : examples.length > 0, name.join(" "));
    for (const [what, args] of examples) {
      const fresh = await program();
      let ran = false;
      for (const command of commandsOf(fresh)) {
        if (command.commands.length === 0) command.action(() => void (ran = true));
      }
      await fresh.parseAsync(args.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', "")), {
        from: "user",
      });
      assert.ok(ran, what);
      assert.equal(args.split(" ").slice(0, name.length).join(" ").startsWith(name[0]!), true, args);
    }
  }
});

Deno.test(
  "kvbench without a command says what to try and which commands there are",
  { ignore: ignoreCli },
  async () => {
    const { code, stdout, stderr } = await kvbench([]);
    assert.deepEqual([code, stderr], [0, ""]);
    for (const command of (await program()).commands) {
      assert.match(stdout, new RegExp(`[ ,]${command.name()}\\b`));
    }
    assert.ok(stdout.split("\n").length <= 24, stdout);
  },
);

Deno.test("--version prints the version alone", { ignore: ignoreCli }, async () => {
  const { code, stdout, stderr } = await kvbench(["--version"]);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  assert.deepEqual([code, stderr], [0, ""]);
});

for (
  const [what, args, message] of [
    ["an unknown command", ["bnech"], "Unknown command 'bnech': did you mean bench?"],
    ["an unknown command of weights", ["weights", "lst"], "Unknown command 'lst': did you mean list?"],
    ["a command that is like none", ["train"], "Unknown command 'train': kvbench --help lists all commands"],
    ["an unknown option", ["bench", "--bach", "2"], "Unknown option '--bach': did you mean --batch?"],
    ["no value", ["bench", "--batch"], "Option '--batch <n>' argument missing"],
  ] as const
) {
  Deno.test(`One line answers ${what}, and suggests what is near`, { ignore: ignoreCli }, async () => {
    const { code, stdout, stderr } = await kvbench(args);
    assert.deepEqual([code, stdout, stderr], [2, "", `kvbench: ${message}\n`]);
  });
}

Deno.test("Help ends without a word where its reader has left", { ignore }, async () => {
  const shell = `'${Deno.execPath()}' run --no-prompt '${
    fileURLToPath(new URL("../mod.ts", import.meta.url))
  }' bench --help`;
  const { code, stderr } = await new Deno.Command("bash", {
    args: ["-c", `set -o pipefail; (sleep 0.2; ${shell}) | true`],
    stdout: "null",
    stderr: "piped",
  }).output();
  assert.deepEqual([code, new TextDecoder().decode(stderr)], [141, ""]);
});

function commandsOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(commandsOf)];
}

/** The names of all commands below a program, each as the words of a command line. */
function namesOf(command: Command, path: readonly string[] = []): string[][] {
  return command.commands.flatMap((each) => {
    const own = [...path, each.name()];
    return [own, ...namesOf(each, own)];
  });
}

function find(command: Command, path: readonly string[]): Command {
  return path.reduce((at, name) => at.commands.find((each) => each.name() === name)!, command);
}
