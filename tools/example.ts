/**
 * `deno task example`: measures the example of `docs/reading-results.md` and writes its result, its pictures and the
 * text of its figures, so that all of them come from one run. With `--text` it measures nothing, and writes text and
 * pictures from the result that is there, after a change of their words or looks.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { withPart } from "./marked_part.ts";

const ROOT = new URL("../", import.meta.url);
const RESULT = "docs/bench.json", PAGE = "docs/reading-results.md";

/** Arguments of the run. */
export const EXAMPLE_COMMAND: readonly string[] = [
  "bench",
  "--sweep",
  "prompt-tokens=32,128,512",
  "--new-tokens",
  "16",
  "--max-seconds",
  "60",
  "--json",
  RESULT,
];

/** Names of the pictures as `report --png` gives them, and as `docs/` has them. */
const PICTURES: Readonly<Record<string, string>> = {
  "overview.png": "docs/bench.png",
  "prompt-sweep.png": "docs/prompt-sweep.png",
};

/** Runs Deno in the checkout and returns what it prints. */
async function deno(args: readonly string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: fileURLToPath(ROOT),
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`deno ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout);
}

async function kvbench(...args: readonly string[]): Promise<string> {
  return await deno([
    "run",
    "--no-prompt",
    "-R",
    "-W",
    "-E",
    "--allow-sys",
    "--allow-ffi",
    "mod.ts",
    ...args,
  ]);
}

if (import.meta.main) {
  const measuring = !Deno.args.includes("--text");
  if (measuring) await kvbench(...EXAMPLE_COMMAND);
  const page = new URL(PAGE, ROOT);
  const figures = await kvbench("report", RESULT, "--format", "markdown");
  await Deno.writeTextFile(page, withPart(await Deno.readTextFile(page), "bench", figures.trim()));
  await deno(["fmt", "--quiet", PAGE]);
  const folder = await Deno.makeTempDir({ prefix: "kvbench_example_" });
  try {
    await kvbench("report", RESULT, "--png", folder);
    for (const [from, to] of Object.entries(PICTURES)) {
      await Deno.copyFile(`${folder}/${from}`, new URL(to, ROOT));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  console.log(`Wrote ${[...(measuring ? [RESULT] : []), ...Object.values(PICTURES), PAGE].join(", ")}`);
}
