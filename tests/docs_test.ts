/**
 * README and `docs/` hold together: links and paths lead somewhere, every page is in the index, command lines are taken
 * by the program, figures are those of the committed result, and the walks of `docs/architecture.md` follow imports.
 */
import assert from "node:assert/strict";
import bench from "../docs/bench.json" with { type: "json" };
import ladder from "../docs/ladder.json" with { type: "json" };
import config from "../deno.json" with { type: "text" };
import type { Command } from "../src/cli/options/commander.ts";
import { kvbench as program } from "../src/cli/main.ts";
import { parseResult } from "../src/measure/record/result.ts";
import { formatResults } from "../src/report/formats.ts";
import { parseLadder } from "../src/measure/ladder/ladder_result.ts";
import { ladderTable } from "../src/report/ladder/table.ts";
import { EXAMPLES } from "../tools/example.ts";
import { partOf } from "../tools/marked_part.ts";
import { permitted } from "./permitted.ts";
import { importsOf, sourcesIn } from "./sources.ts";

const ROOT = new URL("../", import.meta.url);
const DOCS = new URL("docs/", ROOT);
const ignore = !permitted("read");
/** Bytes of the README at most: one page. */
const README_BYTES = 8192;

/** A page and its text. */
interface Page {
  readonly url: URL;
  readonly name: string;
  readonly text: string;
}

/** The README, and every page of `docs/`. */
function pages(): Page[] {
  const docs = [...Deno.readDirSync(DOCS)].map(({ name }) => name).filter((name) => name.endsWith(".md"));
  return ["README.md", ...docs.map((name) => `docs/${name}`)].map((name) => {
    const url = new URL(name, ROOT);
    return { url, name, text: Deno.readTextFileSync(url) };
  });
}

function page(name: string): string {
  return Deno.readTextFileSync(new URL(name, ROOT));
}

/** Text as it reads: the formatter aligns tables, wraps lines and escapes less. */
function plain(markdown: string): string {
  return markdown.replaceAll("\\", "").replaceAll(/-{3,}:?/g, "---").replaceAll(/\s+/g, " ").trim();
}

/** Anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
  );
}

function exists(url: URL): boolean {
  try {
    Deno.statSync(url);
    return true;
  } catch {
    return false;
  }
}

Deno.test(`The README has at most ${README_BYTES} bytes`, { ignore }, () => {
  const { size } = Deno.statSync(new URL("README.md", ROOT));
  assert.ok(size <= README_BYTES, `${size} bytes`);
});

Deno.test("Every link of the README and of docs leads to a file and to a heading of it", { ignore }, () => {
  let links = 0;
  for (const { url, name, text } of pages()) {
    for (const [link, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      links++;
      const to = new URL(target, url), anchor = to.hash.slice(1);
      to.hash = "";
      assert.ok(exists(to), `${name}: ${link}`);
      if (anchor !== "") assert.ok(anchorsOf(Deno.readTextFileSync(to)).includes(anchor), `${name}: ${link}`);
    }
  }
  assert.ok(links > 50, `only ${links} links`);
});

Deno.test("Every path of a source that the README and docs name exists", { ignore }, () => {
  let paths = 0;
  for (const { name, text } of pages()) {
    for (const [, path = ""] of text.matchAll(/`((?:src|wgsl|tests|tools|bench|examples)(?:\/[\w.-]+)+)`/g)) {
      paths++;
      assert.ok(exists(new URL(path, ROOT)), `${name}: ${path}`);
    }
  }
  assert.ok(paths > 100, `only ${paths} paths`);
});

Deno.test("The README and docs/architecture.md name every folder of src", { ignore }, () => {
  for (const { name, isDirectory } of Deno.readDirSync(new URL("src/", ROOT))) {
    if (!isDirectory) continue;
    for (const map of ["README.md", "docs/architecture.md"]) {
      assert.ok(page(map).includes(`\`src/${name}\``), `${map} does not name src/${name}`);
    }
  }
});

Deno.test("No page has a place that is still to be filled", { ignore }, () => {
  for (const { name, text } of pages()) assert.doesNotMatch(text, /^(?:> )?[A-Z]{4,}$|\bTODO\b/m, name);
});

Deno.test("docs/README.md lists every page once", { ignore }, () => {
  const listed = [...page("docs/README.md").matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, name]) =>
    `docs/${name}`
  );
  const others = pages().map(({ name }) => name).filter((name) => !/README\.md$/.test(name));
  assert.deepEqual(listed.toSorted(), others.toSorted());
});

Deno.test("The program takes every command line of the README and docs", { ignore }, async () => {
  let lines = 0;
  for (const { name, text } of pages()) {
    for (
      const [line, args = ""] of text.matchAll(/deno run [^\n`]*?(?:mod\.ts|kvbench\.js) ([a-z][^\n`|>#&]*)/g)
    ) {
      if (/\bCOMMAND\b/.test(line)) continue;
      lines++;
      const fresh = await program();
      let ran = false;
      for (const command of commandsOf(fresh)) {
        if (command.commands.length === 0) command.action(() => void (ran = true));
        command.exitOverride();
      }
      const words = args.trim().match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', ""));
      await fresh.parseAsync(words, { from: "user" }).catch((error) => {
        throw new Error(`${name}: ${line}`, { cause: error });
      });
      assert.ok(ran, `${name}: ${line}`);
    }
  }
  assert.ok(lines > 25, `only ${lines} command lines`);
});

function commandsOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(commandsOf)];
}

Deno.test("Every task that the README and docs name is in deno.json", { ignore }, () => {
  for (const { name, text } of pages()) {
    for (const [, task] of text.matchAll(/\bdeno(?:@[\d.]+)? task ([a-z][\w:]*)/g)) {
      assert.ok(config.includes(`"${task}": {`), `${name}: deno task ${task}`);
    }
  }
});

Deno.test(
  "The figures of docs/reading-results.md are those of docs/bench.json: run deno task example --text",
  {
    ignore,
  },
  () => {
    const result = parseResult(bench, "docs/bench.json");
    assert.ok(result.complete);
    const example = page("docs/reading-results.md");
    assert.equal(plain(partOf(example, "bench")), plain(formatResults([result], "markdown")));
    assertCommand("bench", result.command, example);
  },
);

Deno.test(
  "The figures of docs/is-paged-attention-faster.md are those of docs/ladder.json: run deno task example --text",
  { ignore },
  () => {
    const result = parseLadder(ladder, "docs/ladder.json"),
      example = page("docs/is-paged-attention-faster.md");
    assert.equal(partOf(example, "ladder").trim(), `\`\`\`text\n${ladderTable(result)}\n\`\`\``);
    assertCommand("ladder", result.command, example);
  },
);

/** Checks that a result and its page have the command of an example. */
function assertCommand(name: string, command: readonly string[], text: string): void {
  const expected = EXAMPLES.find((example) => example.name === name)!.command.join(" ");
  assert.equal(command.join(" "), expected);
  assert.ok(plain(text).includes(`mod.ts ${expected}`));
}

/** The lists of files in `docs/architecture.md` that follow something through the program. */
const WALKS = ["prompt to token", "buffer to table cell", "request to stream"];

for (const walk of WALKS) {
  Deno.test(`Each file of the walk from ${walk} imports one that stands before it, or is imported by it`, {
    ignore,
  }, () => {
    const part = partOf(page("docs/architecture.md"), walk);
    const files = [...part.matchAll(/^\d+\. \[[^\]]+\]\(([^)]+)\)/gm)].map(([, path = ""]) =>
      new URL(path, DOCS)
    );
    assert.ok(files.length >= 5, `${files.length} files`);
    assert.equal(new Set(files.map(({ href }) => href)).size, files.length);
    const imports = new Map(files.map((file) => {
      const specifiers = file.pathname.endsWith(".ts") ? importsOf(file) : [];
      return [file.href, specifiers.map((specifier) => new URL(specifier, file).href)];
    }));
    for (const [i, { href }] of files.entries()) {
      const met = i === 0 ||
        files.slice(0, i).some((before) =>
          imports.get(before.href)!.includes(href) || imports.get(href)!.includes(before.href)
        );
      assert.ok(met, `${href.slice(ROOT.href.length)} meets no file that stands before it`);
    }
  });
}

Deno.test("Sources and tests name no page that is not there", { ignore }, () => {
  const folders = ["src/", "tests/", "tools/", "bench/"].map((folder) => new URL(folder, ROOT));
  for (const file of folders.flatMap((folder) => sourcesIn(folder))) {
    for (const [text, path] of Deno.readTextFileSync(file).matchAll(/\b((?:docs\/)?[A-Za-z_-]+\.md)\b/g)) {
      if (path === undefined || !/^docs\/|^[A-Z_]+\.md$/.test(path)) continue;
      assert.ok(exists(new URL(path, ROOT)), `${file.pathname}: ${text}`);
    }
  }
});

Deno.test("Task bench times the strategies, task bench:kernels the kernels, and no suite is in neither", () => {
  const suitesOf = (task: string) => {
    const [, text] = config.split(`"${task}": {`);
    return text!.slice(0, text!.indexOf("}")).match(/bench\/\w+_bench\.ts/g) ?? [];
  };
  assert.deepEqual(suitesOf("bench"), ["bench/decode_bench.ts"]);
  const all = sourcesIn(new URL("bench/", ROOT)).map(({ pathname }) => pathname.split("/").at(-1)!)
    .filter((name) => name.endsWith("_bench.ts"));
  assert.deepEqual(
    [...suitesOf("bench"), ...suitesOf("bench:kernels")].sort(),
    all.map((name) => `bench/${name}`).sort(),
  );
});
