/** Programs that tools run in the checkout, with nothing on their standard input. */
import { fileURLToPath } from "node:url";

/** The checkout's folder, which ends with a slash. */
export const ROOT: string = fileURLToPath(new URL("../", import.meta.url));

/** The surroundings of a program. */
interface Surroundings {
  /** Default: the checkout. */
  readonly cwd?: string;
  /** Variables besides this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** True if its errors go to the terminal, and not to the caller. Default: false. */
  readonly shows?: boolean;
}

/** The end of a program, and what it wrote. */
interface Outcome {
  readonly success: boolean;
  readonly stdout: string;
  /** Empty where it went to the terminal. */
  readonly stderr: string;
}

/** Runs a program to its end. */
export async function run(
  program: string,
  args: readonly string[],
  { cwd = ROOT, env = {}, shows = false }: Surroundings = {},
): Promise<Outcome> {
  const child = await new Deno.Command(program, {
    ...{ args: [...args], cwd, env, stdin: "null" },
    stderr: shows ? "inherit" : "piped",
  }).output();
  const text = (bytes: Uint8Array<ArrayBuffer>) => new TextDecoder().decode(bytes);
  return { success: child.success, stdout: text(child.stdout), stderr: shows ? "" : text(child.stderr) };
}

/**
 * Runs a program and returns what it writes.
 *
 * @throws {Error} If it fails, with what it says.
 */
export async function output(
  program: string,
  args: readonly string[],
  surroundings?: Surroundings,
): Promise<string> {
  const { success, stdout, stderr } = await run(program, args, surroundings);
  if (success) return stdout;
  throw new Error(`${program} ${args.join(" ")} failed${stderr && `: ${stderr.trim()}`}`);
}

/**
 * Runs this Deno and returns what it writes.
 *
 * @throws {Error} If it fails, with what it says.
 */
export async function deno(args: readonly string[], surroundings?: Surroundings): Promise<string> {
  return await output(Deno.execPath(), args, surroundings);
}
