/** The hash of the kernels of a commit, as a result of that commit has it. */
import { deno, output } from "../command.ts";

/** Prints the hash, in the sources of a commit. */
const SCRIPT = `
import { KERNELS_TEXT } from "./src/model/gpt2.ts";
const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(KERNELS_TEXT));
console.log(new Uint8Array(hash).toHex());
`;

/**
 * Computes the hash from the sources as git has them, whatever the working tree holds.
 *
 * @throws {Error} If there is no such commit, or its sources do not tell.
 */
export async function kernelsAt(commit: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "kvbench_kernels_" });
  try {
    const archive = `${folder}/sources.tar`;
    await output("git", ["archive", `--output=${archive}`, commit, "src", "wgsl", "deno.json", "deno.lock"]);
    await output("tar", ["-xf", archive, "-C", folder]);
    await Deno.writeTextFile(`${folder}/kernels.ts`, SCRIPT);
    const args = ["run", "--no-check", "--no-prompt", `--allow-read=${folder}`, "kernels.ts"];
    return (await deno(args, { cwd: folder })).trim();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Returns the full name of a commit. */
export async function commitNamed(name: string): Promise<string> {
  return (await output("git", ["rev-parse", "--verify", `${name}^{commit}`])).trim();
}
