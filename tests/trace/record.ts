/**
 * Records the golden trace anew:
 *
 *   deno run --allow-read --allow-write=tests/golden_trace tests/trace/record.ts
 */
import { FOLDER, traceFiles } from "./files.ts";

const files = await traceFiles();
for (const { name } of Deno.readDirSync(FOLDER)) {
  if (name.endsWith(".txt") && !files.has(name)) Deno.removeSync(new URL(name, FOLDER));
}
for (const [name, text] of files) Deno.writeTextFileSync(new URL(name, FOLDER), text);
console.log(`Recorded ${files.size} files in tests/golden_trace: see git diff`);
