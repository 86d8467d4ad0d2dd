/**
 * `deno task example`: measures the examples of `docs/` and writes their results, their pictures and the text of their
 * figures, so that all of one come from one run. `deno task example ladder` does one of them. With `--text` it measures
 * nothing, and writes text and pictures from the results that are there, after a change of their words or looks.
 */
import { deno } from "./command.ts";
import { withPart } from "./marked_part.ts";

const ROOT = new URL("../", import.meta.url);

/** An example of the documentation. */
export interface Example {
  /** Name of the example, and of the part of its page that holds the figures. */
  readonly name: string;
  /** Arguments of the run, which ends with its result's path. */
  readonly command: readonly string[];
  readonly page: string;
  /** Arguments of `report` for the figures. */
  readonly form: readonly string[];
  /** Names of the pictures as `report --png` gives them, and as `docs/` has them. */
  readonly pictures: Readonly<Record<string, string>>;
}

/** All examples. */
export const EXAMPLES: readonly Example[] = [
  {
    name: "bench",
    command: [
      "bench",
      "--sweep",
      "prompt-tokens=32,128,512",
      "--new-tokens",
      "16",
      "--max-seconds",
      "60",
      "--json",
      "docs/bench.json",
    ],
    page: "docs/reading-results.md",
    form: ["--format", "markdown"],
    pictures: {
      "answer.png": "docs/answer.png",
      "overview.png": "docs/bench.png",
      "prompt-sweep.png": "docs/prompt-sweep.png",
    },
  },
  {
    name: "ladder",
    command: ["ladder", "--json", "docs/ladder.json"],
    page: "docs/is-paged-attention-faster.md",
    form: [],
    pictures: { "ladder.png": "docs/ladder.png" },
  },
];

async function kvbench(...args: readonly string[]): Promise<string> {
  const flags = ["--no-prompt", "-R", "-W", "-E", "--allow-sys", "--allow-ffi"];
  return await deno(["run", ...flags, "mod.ts", ...args], { shows: true });
}

/** Writes one example, and returns the files that it wrote. */
async function write(
  { name, command, page, form, pictures }: Example,
  measuring: boolean,
): Promise<string[]> {
  const result = command.at(-1)!;
  if (measuring) await kvbench(...command);
  const figures = (await kvbench("report", result, ...form)).trim();
  const url = new URL(page, ROOT), text = form.length > 0 ? figures : `\`\`\`text\n${figures}\n\`\`\``;
  await Deno.writeTextFile(url, withPart(await Deno.readTextFile(url), name, text));
  await deno(["fmt", "--quiet", page]);
  const folder = await Deno.makeTempDir({ prefix: "kvbench_example_" });
  try {
    await kvbench("report", result, "--png", folder);
    for (const [from, to] of Object.entries(pictures)) {
      await Deno.copyFile(`${folder}/${from}`, new URL(to, ROOT));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return [...(measuring ? [result] : []), ...Object.values(pictures), page];
}

if (import.meta.main) {
  const names = Deno.args.filter((argument) => argument !== "--text");
  const unknown = names.find((name) => EXAMPLES.every((example) => example.name !== name));
  if (unknown !== undefined) {
    throw new Error(`No example '${unknown}': expected ${EXAMPLES.map(({ name }) => name).join(" or ")}`);
  }
  for (const example of EXAMPLES.filter(({ name }) => names.length === 0 || names.includes(name))) {
    console.log(`Wrote ${(await write(example, !Deno.args.includes("--text"))).join(", ")}`);
  }
}
