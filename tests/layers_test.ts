/**
 * Dependencies point one way: cli → report → simulate, check → measure → engine → model → kv → formats → gpu, with hub on
 * checkpoint, serve on engine, and base for all.
 *
 * @module
 */
import assert from "node:assert/strict";
import { permitted } from "./permitted.ts";
import { circlesIn, importGraph, importsOf, reachedFrom, sourcesIn } from "./sources.ts";

const SRC = new URL("../src/", import.meta.url);

/** The layers that each layer may import from, besides itself. */
const MAY_USE: Readonly<Record<string, readonly string[]>> = {
  base: [],
  gpu: [],
  formats: ["gpu"],
  checkpoint: [],
  kv: ["formats", "gpu"],
  model: ["checkpoint", "kv", "formats", "gpu"],
  hub: ["checkpoint"],
  engine: ["model", "checkpoint", "kv", "formats", "gpu"],
  serve: ["engine", "model", "checkpoint", "kv", "formats", "gpu"],
  measure: ["engine", "model", "checkpoint", "kv", "formats", "gpu"],
  check: ["measure", "engine", "model", "checkpoint", "kv", "formats", "gpu"],
  simulate: ["check", "measure", "engine", "model", "checkpoint", "kv", "formats", "gpu"],
  load: ["simulate", "measure"],
  report: ["load", "simulate", "check", "measure", "kv", "formats", "gpu"],
  cli: [
    "report",
    "load",
    "simulate",
    "check",
    "measure",
    "serve",
    "engine",
    "hub",
    "model",
    "checkpoint",
    "kv",
    "formats",
    "gpu",
  ],
};

Deno.test("Each layer imports from the layers below it alone", { ignore: !permitted("read") }, () => {
  const wrong: string[] = [];
  for (const file of sourcesIn(SRC)) {
    const path = file.href.slice(SRC.href.length);
    const [layer = ""] = path.split("/");
    const allowed = MAY_USE[layer];
    assert.ok(allowed, `src/${path} is in no known layer`);
    for (const specifier of importsOf(file)) {
      if (!specifier.startsWith(".")) continue;
      const target = new URL(specifier, file).href;
      if (!target.startsWith(SRC.href)) {
        const reference = layer === "check" &&
          /\/wgsl\/(?:ops\/.*\/\w*reference|probes\/\w+_cpu)\.ts$/.test(target);
        if (!target.endsWith(".wgsl") && !reference) wrong.push(`src/${path} imports ${specifier}`);
        continue;
      }
      const [used = ""] = target.slice(SRC.href.length).split("/");
      if (used !== layer && used !== "base" && !allowed.includes(used)) {
        wrong.push(`src/${path} imports ${specifier}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("No two files import each other, directly or through others, types included", {
  ignore: !permitted("read"),
}, () => {
  const graph = importGraph(sourcesIn(SRC));
  assert.ok(graph.size > 200, `only ${graph.size} files`);
  assert.deepEqual(circlesIn(graph).map((circle) => circle.map((href) => href.slice(SRC.href.length))), []);
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
