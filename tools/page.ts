/**
 * Makes `client.js.txt`, the script of the report page with the parts of Chart.js that it uses: `deno task page`. The
 * repository holds it, because there is no bundler where a report is made.
 */
import { fileURLToPath } from "node:url";
import { deno } from "./command.ts";

/** Place of the script. */
export const CLIENT = new URL("../src/report/page/client.js.txt", import.meta.url);

/**
 * Bundles the script.
 *
 * @throws {Error} With what the bundler said, if it fails.
 */
export async function buildClient(): Promise<string> {
  const args = ["bundle", "--quiet", "--minify", "--platform=browser", "src/report/page/client.ts"];
  return (await deno(args, { env: { NO_COLOR: "1" } })).trim() + "\n";
}

if (import.meta.main) {
  const script = await buildClient();
  await Deno.writeTextFile(CLIENT, script);
  console.log(`Wrote ${fileURLToPath(CLIENT)} (${Math.round(script.length / 1000)} kB)`);
}
