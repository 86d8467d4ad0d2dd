/**
 * What somebody who builds on kvbench meets first: `mod.ts` and `extend.ts` name their exports and document them, the examples compile
 * and run, and the sources can be published.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { inScratch, runDeno, WEIGHTS } from "./cli_support.ts";
import { permitted } from "./permitted.ts";
import { reachedFrom, sourcesIn } from "./sources.ts";

const ignore = !permitted("read", "write", "run", "env");
const ROOT = new URL("../", import.meta.url);
/** Each face, and the most names that it may export. */
const FACES = { "mod.ts": 45, "extend.ts": 32 };
/** All files behind the faces. */
const REACHED = Object.keys(FACES).flatMap((face) => reachedFrom(new URL(face, ROOT)));
/** Longer examples are no longer read. */
const MOST_LINES = 60;

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, ROOT));
}

/** Runs deno in the repository's root, and returns what it prints if it succeeds. */
async function deno(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runDeno(args, { cwd: pathOf("./") });
  assert.equal(code, 0, stderr);
  return stdout + stderr;
}

for (const [face, most] of Object.entries(FACES)) {
  Deno.test(`${face} exports at most ${most} names, each by its name`, { ignore }, async () => {
    const text = await Deno.readTextFile(new URL(face, ROOT));
    const names = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list]) =>
      list!.split(",").map((name) => name.trim()).filter((name) => name !== "")
    );
    assert.ok(names.length > 20 && names.length <= most, `${names.length}: ${names}`);
    assert.doesNotMatch(text, /export \*/);
  });

  Deno.test(`${face} documents everything that it exports, with all the types that it names`, {
    ignore,
  }, async () => {
    await deno("doc", "--lint", face);
  });
}

Deno.test("Every example in the documentation type-checks", { ignore }, async () => {
  const pages = [...Deno.readDirSync(new URL("docs/", ROOT))].map(({ name }) => `docs/${name}`);
  const files = ["README.md", "CONTRIBUTING.md", ...pages].filter((name) => name.endsWith(".md")).map(pathOf)
    .concat(REACHED.map((file) => fileURLToPath(file)))
    .filter((path) => /^[\s*]*```(ts|typescript)\b/m.test(Deno.readTextFileSync(path)));
  assert.ok(files.includes(pathOf("mod.ts")), String(files));
  await deno("check", "--doc-only", ...files);
});

/** How each example runs, and what it prints. */
const RUNS: Readonly<Record<string, { readonly args: readonly string[]; readonly prints: RegExp }>> = {
  "own_strategy.ts": {
    args: [
      "generate",
      "Once upon a time",
      "--strategy",
      "bucketed",
      "--bucket-tokens",
      "32",
      "--max-new-tokens",
      "4",
    ],
    prints: /^, and the \w+\n$/,
  },
  "own_sweep.ts": {
    args: ["tiny", "2"],
    prints: /^weights,tpot_ms,peak_bytes\nf32,[\d.]+,\d+\nf16,.*\nint8,.*\n/,
  },
  "own_report.ts": {
    args: [pathOf("docs/bench.json")],
    prints: /^model,.*\ntiny,no-cache,32,[\d.]+,[\d.]+,/,
  },
};

Deno.test("There is a run of every example", { ignore }, () => {
  const names = sourcesIn(new URL("examples/", ROOT)).map(({ pathname }) => pathname.split("/").at(-1));
  assert.deepEqual(names.sort(), Object.keys(RUNS).sort());
});

for (const [name, { args, prints }] of Object.entries(RUNS)) {
  Deno.test(`examples/${name} is short, and runs with read permission alone`, { ignore }, async () => {
    const path = pathOf(`examples/${name}`);
    const lines = (await Deno.readTextFile(path)).trimEnd().split("\n").length;
    assert.ok(lines < MOST_LINES, `${lines} lines`);
    await inScratch(async (cwd) => {
      const read = `--allow-read=${WEIGHTS},${pathOf("docs")}`;
      const { code, stdout, stderr } = await runDeno(
        ["run", "--no-prompt", "--cached-only", read, path, ...args],
        { cwd },
      );
      assert.equal(code, 0, stderr);
      assert.match(stdout, prints);
    });
  });
}

Deno.test(
  "A dry run of publishing packs all that mod.ts and extend.ts reach, kernels and weights, and no test",
  {
    ignore,
  },
  async () => {
    const said = await deno("task", "publish:check", "--no-check");
    const packed = new Set([...said.matchAll(/file:\/\/\S+/g)].map(([href]) => href));
    for (const { href } of REACHED) assert.ok(packed.has(href), href);
    for (const name of ["weights/tiny/model.safetensors", "LICENSE", "README.md", "CHANGELOG.md"]) {
      assert.ok(packed.has(new URL(name, ROOT).href), name);
    }
    assert.ok([...packed].some((href) => href.endsWith(".wgsl")));
    assert.deepEqual([...packed].filter((href) => /_test\.ts$|\/tests\//.test(href)), []);
  },
);

Deno.test("GitHub's workflow runs .ci/run, and that the README's test command", { ignore }, async () => {
  const [workflow, run, readme] = await Promise.all(
    [".github/workflows/ci.yml", ".ci/run", "README.md"].map((name) =>
      Deno.readTextFile(new URL(name, ROOT))
    ),
  );
  assert.match(workflow!, /^ +- run: \.ci\/run$/m);
  const [command] = /^npx -y deno@\S+ task test$/m.exec(run!) ?? [];
  assert.ok(command !== undefined && readme!.includes(command), command);
});
