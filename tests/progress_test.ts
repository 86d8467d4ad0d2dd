/**
 * Progress of everything that can take more than a second, in a pseudo-terminal: it is shown on stderr, it is gone at
 * the end, and nothing of it goes to stdout.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { inScratch, kvbench, MOD } from "./cli_support.ts";
import { fixtureResult } from "./fixtures/result.ts";
import { REPOSITORY, smallModel, TestHub } from "./fixtures/hub.ts";
import { FakeTerminal } from "./fixtures/terminal.ts";
import { permitted } from "./permitted.ts";
import { denoInTerminal, ignore, plain } from "./pseudo_terminal.ts";

const COLUMNS = 80;
const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** What is shown of progress and of nothing else. */
const GLYPHS = /[█░▸]/;

const BAR = "[█░]{12} +\\d+ %";

/** Runs `kvbench` with stderr in a terminal, checks what goes for every command, and gives what was shown. */
async function progressOf(
  args: readonly string[],
  { folder, env = {} }: { readonly folder: string; readonly env?: Readonly<Record<string, string>> },
): Promise<string> {
  const stdout = `${folder}/stdout`;
  const run = await denoInTerminal(["run", "--no-prompt", "-A", MOD, ...args], {
    columns: COLUMNS,
    stdout,
    env,
    cwd: ROOT,
  });
  const what = `kvbench ${args.join(" ")}: ${plain(run.shown)}`;
  assert.equal(run.code, 0, what);
  const printed = await Deno.readTextFile(stdout);
  assert.doesNotMatch(printed, GLYPHS, what);
  assert.ok(!printed.includes("\x1b"), what);

  const terminal = new FakeTerminal(COLUMNS);
  terminal.write(run.shown);
  for (const line of terminal.lines()) assert.doesNotMatch(line, GLYPHS, `${what}\nleft behind: ${line}`);
  // Deno itself hides the cursor while it looks for packages, and shows it again.
  assert.equal(run.shown.lastIndexOf("\x1b[?25l") <= run.shown.lastIndexOf("\x1b[?25h"), true, what);
  assert.ok(!run.shown.includes("\x1b[?7l"), what);
  return plain(run.shown);
}

/** Command lines, with what each shows. `FOLDER` stands for an empty folder. */
const SHOWN: readonly (readonly [args: readonly string[], shown: readonly string[]])[] = [
  [
    ["bench", "--runs", "3", "--warmup", "1", "--new-tokens", "8", "--json", "FOLDER/result.json"],
    [
      "Hashing weights",
      `Loading weights as f32 ${BAR}`,
      `Checking what this adapter computes ${BAR}`,
      "Measuring fence and readback",
      "▸ no-cache +memory",
      "▸ paged +warm-up",
      "▸ kv-cache +([\\d.]+ ms.*, )?run",
      "\\d:\\d\\d elapsed, about \\d:\\d\\d of runs left",
    ],
  ],
  [
    [
      "bench",
      "--no-autotune",
      "--kv-dtype",
      "f16",
      "--runs",
      "1",
      "--warmup",
      "0",
      "--new-tokens",
      "8",
      "--json",
      "-",
    ],
    [`Computing float32 logits ${BAR}`, `Comparing f32 weights and f16 K/V with float32 ${BAR}`],
  ],
  [
    ["profile", "--prompt-tokens", "8", "--new-tokens", "4"],
    [`Checking what this adapter computes ${BAR}`, `Profiling ${BAR}  \\d+ s left  \\d of 5 rounds`],
  ],
  [["perplexity", "--ids", "FOLDER/ids"], [`Scoring ${BAR}  \\d+ s left  [\\d ]+ of 1 499 tokens`]],
  [["logits", "--all", "--prompt-ids", "IDS", "-o", "FOLDER/l"], [`Computing logits ${BAR}`]],
  [
    ["generate", "The", "--max-new-tokens", "300", "--output", "ids"],
    [`Generating ${BAR}  \\d+ s left  \\d+ of 300 tokens`],
  ],
  [
    ["generate", "The", "--num-return-sequences", "4", "--max-new-tokens", "60"],
    [`Generating ${BAR}  \\d+ s left  \\d+ of 240 tokens`],
  ],
  [
    ["generate", "The", "--num-beams", "2", "--max-new-tokens", "60"],
    [`Searching ${BAR}  \\d+ s left  \\d+ of 60 tokens per beam`],
  ],
  [
    ["selftest", "--quick"],
    [`Checking \\w+.wgsl ${BAR}  \\d+ s left`, `Checking golden prompts ${BAR}`],
  ],
  [["compare", "docs/bench.json", "docs/bench.json"], [`Comparing ${BAR}  \\d+ s left  \\d of 9 cells`]],
  [
    ["report", "FOLDER/input.json", "--png", "FOLDER/charts"],
    [`Drawing overview.png ${BAR}`, `Drawing latency.png ${BAR}  \\d+ s left`],
  ],
  [
    [
      "serve-sim",
      "--kv-budget",
      "24MiB",
      "--requests",
      "6",
      "--lengths",
      "alpaca",
      "--policies",
      "paged,max",
    ],
    [`Serving with paged ${BAR}`, `Serving with max ${BAR}`],
  ],
  [
    ["paper", "--dry-run", "--model", "opt-13b", "--kv-budget", "12GB", "--requests", "300"],
    [`Views? ?\\w* ${BAR}  \\d+ s left  \\d of 6 views`, `Serving with paged ${BAR}`],
  ],
];

for (const [args, shown] of SHOWN) {
  const name = args.filter((arg) => !/FOLDER|^\d/.test(arg)).join(" ");
  Deno.test(`kvbench ${name} shows on stderr's terminal how far it is`, { ignore }, async () => {
    await inScratch(async (folder) => {
      await Deno.writeTextFile(`${folder}/ids`, idsOf(1500));
      await Deno.writeTextFile(`${folder}/input.json`, JSON.stringify(fixtureResult()));
      const filled = args.map((arg) => arg.replace("FOLDER", folder).replace("IDS", idsOf(200)));
      const text = await progressOf(filled, { folder });
      for (const each of shown) assert.match(text, new RegExp(each), text);
    });
  });
}

Deno.test("kvbench load shows on stderr's terminal how many requests are answered", {
  ignore: ignore || !permitted("net"),
}, async () => {
  const chunk = `data: {"choices":[{"text":"a"}]}\n\ndata: [DONE]\n\n`;
  let answered = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async ({ method }) => {
    if (method === "GET") return Response.json({ data: [{ id: "toy" }] });
    await new Promise((resolve) => setTimeout(resolve, 100 * ++answered));
    return new Response(chunk);
  });
  try {
    await inScratch(async (folder) => {
      const url = `http://127.0.0.1:${server.addr.port}`;
      const text = await progressOf(["load", url, "--num-prompts", "8", "--new-tokens", "1"], { folder });
      assert.match(text, new RegExp(`Sending requests ${BAR}  \\d+ s left  \\d of 8 requests`));
    });
  } finally {
    await server.shutdown();
  }
});

Deno.test("kvbench weights shows on stderr's terminal how much is downloaded and hashed", {
  ignore: ignore || !permitted("net"),
}, async () => {
  const files = await smallModel();
  await using hub = new TestHub(files);
  hub.fault = async ({ file }, answer) => {
    const response = answer();
    return file === "model.safetensors" && response.body ? slowly(response) : await Promise.resolve(response);
  };
  await inScratch(async (folder) => {
    const env = { HF_ENDPOINT: hub.origin, HF_HUB_CACHE: `${folder}/cache` };
    const pulled = await progressOf(["weights", "pull", REPOSITORY], { folder, env });
    assert.match(
      pulled,
      new RegExp(`Downloading model.safetensors ${BAR}  \\d+ s left  [\\d.]+ of [\\d.]+ KiB`),
    );
    const verified = await progressOf(["weights", "verify", REPOSITORY], { folder, env });
    assert.match(verified, new RegExp(`Hashing ${REPOSITORY} ${BAR}`));
  });
});

Deno.test("Where stderr is no terminal, quick work shows no progress", { ignore }, async () => {
  const { code, stderr } = await kvbench(["generate", "The", "--max-new-tokens", "40", "--output", "ids"]);
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /Generating|Loading|left/);
  assert.ok(!stderr.includes("\x1b"), stderr);
});

/** So many ids with commas between them. */
function idsOf(count: number): string {
  return Array.from({ length: count }, (_, i) => 100 + i % 5000).join(",");
}

/** The same answer, whose body comes in pieces with pauses. */
function slowly(response: Response): Response {
  const pause = new TransformStream<Uint8Array, Uint8Array>({
    async transform(chunk, controller) {
      const size = Math.ceil(chunk.length / 5);
      for (let at = 0; at < chunk.length; at += size) {
        controller.enqueue(chunk.subarray(at, at + size));
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    },
  });
  return new Response(response.body!.pipeThrough(pause), response);
}
