/**
 * Makes `client.js.txt`, the script of the report page with what it needs of Chart.js: `deno task page`. It is kept in
 * the repository, because a bundler is not at hand where a report is made.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/** Where the script is kept. */
export const CLIENT = new URL("../src/report/page/client.js.txt", import.meta.url);

/**
 * Bundles the script.
 *
 * @throws {Error} With what the bundler said, if it fails.
 */
export async function buildClient(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--minify",
      "--platform=browser",
      fileURLToPath(new URL("../src/report/page/client.ts", import.meta.url)),
    ],
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim() + "\n";
}

if (import.meta.main) {
  const script = await buildClient();
  await Deno.writeTextFile(CLIENT, script);
  console.log(`Wrote ${fileURLToPath(CLIENT)} (${Math.round(script.length / 1000)} kB)`);
}
