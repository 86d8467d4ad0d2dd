/**
 * Programs in a pseudo-terminal, as somebody at a keyboard sees them. It comes from `script`, which every Debian has.
 */
import assert from "node:assert/strict";
import { permitted } from "./permitted.ts";

/** True where tests in a pseudo-terminal must be left out: some bare chroots mount no `devpts`, and it is said. */
export const ignore: boolean = Deno.build.os !== "linux" || !permitted("read", "write", "run", "env") ||
  !hasTerminals();

function hasTerminals(): boolean {
  try {
    Deno.statSync("/dev/pts/ptmx");
    return true;
  } catch {
    console.error("No pseudo-terminal can be had, since devpts is not mounted: tests in one are ignored");
    return false;
  }
}

/** Where a program runs. */
export interface TerminalOptions {
  /** Columns of the terminal. Default: 80. */
  readonly columns?: number;
  /** A file that takes stdout, so that the terminal shows stderr alone. Default: none. */
  readonly stdout?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** What a program wrote to the terminal, control sequences included, and how it ended. */
export interface TerminalRun {
  readonly code: number;
  readonly shown: string;
}

/** Runs Deno with its stdout (or not) and its stderr in a terminal. */
export async function denoInTerminal(
  args: readonly string[],
  { columns = 80, stdout, env = {}, cwd }: TerminalOptions = {},
): Promise<TerminalRun> {
  const command = [Deno.execPath(), ...args].map(quoted).join(" ");
  const line = `stty cols ${columns} rows 24; exec ${command}${
    stdout === undefined ? "" : ` > ${quoted(stdout)}`
  }`;
  const { code, stdout: shown } = await new Deno.Command("script", {
    args: ["--quiet", "--return", "--command", line, "/dev/null"],
    env: { NO_COLOR: "1", TERM: "xterm", SHELL: "/bin/sh", XDG_RUNTIME_DIR: "/tmp", ...env },
    stdin: "null",
    stderr: "inherit",
    ...(cwd !== undefined && { cwd }),
  }).output();
  return { code, shown: new TextDecoder().decode(shown) };
}

/** Text as a terminal shows it: no control sequences, and lines that end without a carriage return. */
export function plain(shown: string): string {
  // deno-lint-ignore no-control-regex -- control sequences are what is removed
  return shown.replaceAll(/\x1b(\[[\d;?]*[A-Za-z]|[78])/g, "").replaceAll("\r\n", "\n");
}

function quoted(text: string): string {
  assert.ok(!text.includes("\0"));
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
