/**
 * Runs random command lines in the folder that the process is in: one process for `fuzz_test.ts`, since a process has one
 * folder and one exit code, which all tests share.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Command } from "../src/cli/options/commander.ts";
import { benchCommand } from "../src/cli/commands/bench.ts";
import { compareCommand } from "../src/cli/commands/compare.ts";
import { generateCommand } from "../src/cli/commands/generate.ts";
import { logitsCommand } from "../src/cli/commands/logits.ts";
import { perplexityCommand } from "../src/cli/commands/perplexity.ts";
import { profileCommand } from "../src/cli/commands/profile.ts";
import { reportCommand } from "../src/cli/commands/report.ts";
import { main } from "../src/cli/main.ts";
import { runs } from "./fuzz.ts";

/** Options that end the program in good order, or read what a test does not have. */
const LEFT_OUT = ["--help", "--version", "--dry-run"];

/** Subcommands that can't come far without a model or a file. */
const COMMANDS: readonly Command[] = [
  benchCommand(),
  generateCommand(),
  logitsCommand(),
  perplexityCommand(),
  profileCommand(),
  compareCommand(),
  reportCommand(),
];

const value = fc.oneof(
  fc.string({ maxLength: 12 }).filter((text) => !text.includes("/")),
  fc.integer().map(String),
  fc.constantFrom(
    "",
    "-",
    "--",
    "1e9",
    "0x10",
    "NaN",
    "1,2,,3",
    "a=b",
    "batch=1,2",
    "💥",
    "\u0000",
    "f16",
    "paged",
  ),
);
const line = fc.constantFrom(...COMMANDS).chain((command) => {
  const flags = command.options.map(({ long }) => long!).filter((flag) => !LEFT_OUT.includes(flag));
  const option = fc.tuple(fc.constantFrom(...flags), value).map(([flag, text]) => [flag, text]);
  const part = fc.oneof({ weight: 4, arbitrary: option }, {
    weight: 1,
    arbitrary: value.map((text) => [text]),
  });
  return fc.array(part, { maxLength: 5 }).map((parts) => [command.name(), ...parts.flat()]);
});

const lines: string[] = [];
Object.assign(console, { error: (text: string) => lines.push(text), log: () => {} });
await fc.assert(
  fc.asyncProperty(line, async (args) => {
    lines.length = 0;
    Deno.exitCode = 0;
    await main([...args, "--model", "./none"]);
    const said = lines.join("\n");
    assert.ok(Deno.exitCode === 1 || Deno.exitCode === 2, `code ${Deno.exitCode}: ${said}`);
    assert.match(said, /^kvbench: [^\n]+$/);
    assert.doesNotMatch(said, /A defect in kvbench/);
  }),
  { numRuns: runs(400), seed: 3 },
);
Deno.exitCode = 0;
