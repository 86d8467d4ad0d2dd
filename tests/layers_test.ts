/**
 * Dependencies point one way: cli → report → simulate, check → measure → engine → model → kv → formats → gpu, with host and hub
 * on checkpoint, serve on engine, and base for all. What the floors of a browser need of the outside is passed in.
 */
import assert from "node:assert/strict";
import { permitted } from "./permitted.ts";
import { circlesIn, importGraph, importsOf, reachedFrom, sourcesIn } from "./sources.ts";

const ROOT = new URL("../", import.meta.url);

/** The layers that each layer may import from, besides itself. */
const MAY_USE: Readonly<Record<string, readonly string[]>> = {
  base: [],
  gpu: [],
  formats: ["gpu"],
  checkpoint: [],
  kv: ["formats", "gpu"],
  model: ["checkpoint", "kv", "formats", "gpu"],
  host: ["measure", "checkpoint", "gpu"],
  hub: ["host", "checkpoint"],
  engine: ["model", "checkpoint", "kv", "formats", "gpu"],
  serve: ["engine", "model", "checkpoint", "kv", "formats", "gpu"],
  measure: ["engine", "model", "checkpoint", "kv", "formats", "gpu"],
  check: ["measure", "engine", "model", "checkpoint", "kv", "formats", "gpu"],
  simulate: ["check", "measure", "engine", "model", "checkpoint", "kv", "formats", "gpu"],
  load: ["simulate", "measure"],
  report: ["load", "simulate", "check", "measure", "host", "kv", "formats", "gpu"],
  cli: [
    "report",
    "load",
    "simulate",
    "check",
    "measure",
    "serve",
    "engine",
    "hub",
    "host",
    "model",
    "checkpoint",
    "kv",
    "formats",
    "gpu",
  ],
};

/** The layer of a file below the root: operators, which stand beside their WGSL, are the model's. */
function layerOf(href: string): string {
  const [top, layer = ""] = href.slice(ROOT.href.length).split("/");
  return top === "wgsl" ? "model" : layer;
}

/** All files of the program. */
function allSources(): URL[] {
  return ["src/", "wgsl/"].flatMap((folder) => sourcesIn(new URL(folder, ROOT)));
}

Deno.test("Each layer imports from the layers below it alone", { ignore: !permitted("read") }, () => {
  const wrong: string[] = [];
  for (const file of allSources()) {
    const path = file.href.slice(ROOT.href.length), layer = layerOf(file.href);
    const allowed = MAY_USE[layer];
    assert.ok(allowed, `${path} is in no known layer`);
    for (const specifier of importsOf(file)) {
      if (!specifier.startsWith(".") || specifier.endsWith(".wgsl")) continue;
      const target = new URL(specifier, file).href;
      if (!/^(?:src|wgsl)\//.test(target.slice(ROOT.href.length))) wrong.push(`${path} imports ${specifier}`);
      const used = layerOf(target);
      if (used !== layer && used !== "base" && !allowed.includes(used)) {
        wrong.push(`${path} imports ${specifier}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("What decodes, measures, simulates and serves knows the interface Model, and no architecture", {
  ignore: !permitted("read"),
}, () => {
  const naming = ["engine", "measure", "simulate", "serve", "load"]
    .flatMap((layer) => sourcesIn(new URL(`src/${layer}/`, ROOT)))
    .filter((file) => /\bGpt2\b/.test(Deno.readTextFileSync(file)));
  assert.deepEqual(naming.map(({ href }) => href.slice(ROOT.href.length)), []);
});

Deno.test("No two files import each other, directly or through others, types included", {
  ignore: !permitted("read"),
}, () => {
  const graph = importGraph(allSources());
  assert.ok(graph.size > 200, `only ${graph.size} files`);
  assert.deepEqual(circlesIn(graph).map((circle) => circle.map((href) => href.slice(ROOT.href.length))), []);
});

Deno.test("circlesIn() finds circles of one, two and more nodes, and none elsewhere", () => {
  const graph = new Map([
    ["a", ["b", "c"]],
    ["b", ["c"]],
    ["c", ["d"]],
    ["d", ["e", "c"]],
    ["e", ["f"]],
    ["f", ["g"]],
    ["g", ["e", "h"]],
    ["h", ["h"]],
  ]);
  assert.deepEqual(circlesIn(graph), [["h"], ["e", "f", "g"], ["c", "d"]]);
});

Deno.test(
  "importsOf() finds the imports that Deno finds",
  { ignore: !permitted("read", "run") },
  async () => {
    const entry = new URL("../mod.ts", import.meta.url);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", entry.href],
      stderr: "null",
    }).output();
    const { modules }: { modules: { specifier: string; dependencies?: { specifier: string }[] }[] } = JSON
      .parse(
        new TextDecoder().decode(stdout),
      );
    const found = new Map(modules.map(({ specifier, dependencies = [] }) => [specifier, dependencies]));
    for (const file of reachedFrom(entry)) {
      const known = found.get(file.href)?.map(({ specifier }) => specifier);
      assert.deepEqual(new Set(importsOf(file)), new Set(known), file.pathname);
    }
  },
);
