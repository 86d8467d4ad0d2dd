/** The committed results: each is accepted by the rules, and `docs/gallery.md` shows them. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { permitted } from "../../tests/permitted.ts";
import { fixtureResult } from "../../tests/fixtures/result.ts";
import { kvbench } from "../../src/cli/main.ts";
import type { BenchResult } from "../../src/measure/record/result.ts";
import { partOf } from "../marked_part.ts";
import { acceptAll, commitOfKernels, GALLERY_RUN, KNOWN_KERNELS } from "./accept.ts";
import { kernelsAt } from "./kernels_at.ts";
import { galleryMarkdown } from "./markdown.ts";
import { resultFiles } from "./run.ts";

const ignore = !permitted("read");
const ROOT = new URL("../../", import.meta.url);

/** Text as it reads: the formatter aligns tables and wraps lines. */
function plain(markdown: string): string {
  return markdown.replaceAll("\\", "").replaceAll(/-{3,}:?/g, "---").replaceAll(/\s+/g, " ").trim();
}

Deno.test("Every result in results/ is accepted, of one plan, and of the embedded model's own weights", {
  ignore,
}, async () => {
  const accepted = acceptAll(resultFiles());
  assert.ok(accepted.length >= 3, `${accepted.length} results`);
  const weights = await Deno.readFile(new URL("weights/tiny/model.safetensors", ROOT));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", weights)).toHex();
  for (const { path, result: { model, plan, cells } } of accepted) {
    assert.deepEqual(model.weights, { source: "checkpoint", sha256: hash }, path);
    assert.deepEqual(
      [plan.grid.prompt_tokens, plan.grid.new_tokens, cells.length],
      [[32, 256], [16], 6],
      path,
    );
  }
});

Deno.test("docs/gallery.md and its picture are of the results: run deno task gallery", { ignore }, () => {
  const page = Deno.readTextFileSync(new URL("docs/gallery.md", ROOT));
  assert.equal(plain(partOf(page, "gallery")), plain(galleryMarkdown(acceptAll(resultFiles()))));
  assert.ok(Deno.statSync(new URL("docs/gallery.png", ROOT)).size > 10_000);
});

Deno.test("Known kernels have one commit each", () => {
  const hashes = KNOWN_KERNELS.map(({ kernels_sha256 }) => kernels_sha256);
  assert.equal(new Set(hashes).size, hashes.length);
  for (const { kernels_sha256, commit } of KNOWN_KERNELS) {
    assert.match(kernels_sha256, /^[0-9a-f]{64}$/);
    assert.match(commit, /^[0-9a-f]{40}$/);
  }
});

/** The commit of the kernels that were last added, where this is a clone that has it. */
const [newest] = KNOWN_KERNELS.slice(-1);
const inHistory = newest !== undefined && permitted("run") && existsSync(new URL(".git", ROOT)) &&
  new Deno.Command("git", { args: ["cat-file", "-e", newest.commit], cwd: ROOT, stderr: "null" }).outputSync()
    .success;

Deno.test(
  "The kernels that were last added are those of their commit",
  { ignore: ignore || !inHistory },
  async () => {
    assert.equal(await kernelsAt(newest!.commit), newest!.kernels_sha256);
  },
);

Deno.test("The pages that say how to send a result have the gallery's command, and bench takes it", {
  ignore,
}, async () => {
  const page = Deno.readTextFileSync(new URL("docs/contributing-results.md", ROOT));
  assert.ok(page.includes(`kvbench.js ${GALLERY_RUN.join(" ")} --json `));
  const program = await kvbench();
  const bench = program.commands.find((command) => command.name() === "bench")!;
  let taken: Record<string, unknown> = {};
  bench.action((options) => void (taken = options));
  await program.parseAsync([...GALLERY_RUN], { from: "user" });
  assert.deepEqual([taken["newTokens"], taken["serving"]], [16, false]);
});

/** A made-up result that is accepted, with what `change` makes of it. */
function file(change: (result: BenchResult) => void = () => {}, name = "made-up.json") {
  const result = fixtureResult({ grid: { prompt_tokens: [32, 256], new_tokens: [16] } });
  result.command = [...GALLERY_RUN, "--json", "results/made-up.json"];
  change(result);
  return { name, json: JSON.parse(JSON.stringify(result)) };
}

const KERNELS = [{ kernels_sha256: fixtureResult().environment.kernels_sha256, commit: "c0".repeat(20) }];

Deno.test("acceptAll() takes a result of known kernels, of an older commit too, and says whose they are", () => {
  const older = "0d".repeat(32);
  const kernels = [...KERNELS, { kernels_sha256: older, commit: "a1".repeat(20) }];
  const accepted = acceptAll([
    file(),
    file(({ environment }) => environment.kernels_sha256 = older, "older.json"),
  ], kernels);
  assert.deepEqual(accepted.map(({ result }) => commitOfKernels(result, kernels)), [
    "c0".repeat(20),
    "a1".repeat(20),
  ]);
  assert.match(galleryMarkdown(accepted, kernels), /\| a1a1a1a \| older\.json \|/);
});

const REFUSED: Readonly<Record<string, [change: (result: BenchResult) => void, message: RegExp]>> = {
  "that is not complete": [(result) => result.complete = false, /it is not complete, expected a run that/],
  "of another command": [
    (result) => result.command[2] = "prompt-tokens=8",
    /its command is another .+ expected kvbench bench --sweep/,
  ],
  "of another model": [
    ({ model }) => model.name = "gpt2",
    /its model is gpt2, expected the embedded one, tiny/,
  ],
  "without a self-check": [
    (result) => result.self_check = null,
    /its self-check is not recorded, expected every check/,
  ],
  "with an empty self-check": [(result) => result.self_check = [], /its self-check is not recorded/],
  "with a check that is wrong": [
    ({ self_check }) => self_check![0]!.verdict = "wrong",
    /its self-check is wrong/,
  ],
  "of kernels of no known commit": [
    ({ environment }) => environment.kernels_sha256 = "ef".repeat(32),
    /its kernels \(ef{1}.{14}…\) are of no known commit, expected deno task gallery --commit COMMIT/,
  ],
  "of another plan than the others": [
    ({ plan }) => plan.seed++,
    /its plan\.seed is another than that of first\.json/,
  ],
};

for (const [what, [change, message]] of Object.entries(REFUSED)) {
  Deno.test(`acceptAll() refuses by name a result ${what}`, () => {
    const files = [file(undefined, "first.json"), file(change)];
    assert.throws(() => acceptAll(files, KERNELS), (error: Error) => {
      assert.equal(error.name, "KvbenchError");
      assert.match(error.message, /^Cannot (?:accept|read) made-up\.json: /);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("acceptAll() refuses what is no result, or of a field too many", () => {
  const fails = (json: unknown, message: RegExp) =>
    assert.throws(() => acceptAll([{ name: "odd.json", json }], KERNELS), message);
  fails({ kind: "kvbench.ladder", schema_version: 1 }, /^KvbenchError: Cannot read odd\.json: it is of kind/);
  fails({ ...file().json, host: "mine" }, /^KvbenchError: Cannot read odd\.json: the top level is not valid/);
});
