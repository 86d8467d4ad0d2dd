/**
 * Reading sources as text, for tests of what imports what.
 *
 * @module
 */

/** Statements and expressions that import: `from "x"`, `import "x"`, `import("x")`. */
const IMPORT = /^(?:import|export|\}) [^"'\n]*?\bfrom "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"/gm;

/** The specifiers that a file imports, types included, in its order. */
export function importsOf(file: URL): string[] {
  const text = Deno.readTextFileSync(file).replaceAll(/^ *(?:\*|\/\/|\/\*).*$/gm, ""); // comments show examples
  return [...text.matchAll(IMPORT)].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? "");
}

/** A file and all the TypeScript that it reaches. */
export function reachedFrom(entry: URL): URL[] {
  const reached = new Map<string, URL>();
  const visit = (file: URL) => {
    if (reached.has(file.href) || !file.pathname.endsWith(".ts")) return;
    reached.set(file.href, file);
    for (const specifier of importsOf(file)) if (specifier.startsWith(".")) visit(new URL(specifier, file));
  };
  visit(entry);
  return [...reached.values()];
}

/** What each file imports of the others, types included. */
export function importGraph(files: readonly URL[]): Map<string, string[]> {
  const all = new Set(files.map(({ href }) => href));
  return new Map(files.map((file) => {
    const local = importsOf(file).filter((specifier) => specifier.startsWith("."));
    return [
      file.href,
      local.map((specifier) => new URL(specifier, file).href).filter((href) => all.has(href)),
    ];
  }));
}

/** The sets of nodes that reach each other (Tarjan's strongly connected components), those of one node left out. */
export function circlesIn(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>(), lowest = new Map<string, number>();
  const stack: string[] = [], circles: string[][] = [];
  const visit = (node: string) => {
    order.set(node, order.size);
    let low = order.get(node)!;
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) low = Math.min(low, lowest.get(next) ?? order.get(next)!);
    }
    lowest.set(node, low);
    if (low !== order.get(node)) return;
    const circle = stack.splice(stack.indexOf(node));
    if (circle.length > 1 || graph.get(node)?.includes(node)) circles.push(circle.sort());
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return circles;
}

/** All files in a folder and below whose names end so. */
export function filesIn(folder: URL, end: string): URL[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return filesIn(new URL(`${name}/`, folder), end);
    return name.endsWith(end) ? [new URL(name, folder)] : [];
  });
}

/** All TypeScript in a folder, tests included. */
export function scriptsIn(folder: URL): URL[] {
  return filesIn(folder, ".ts");
}

/** All TypeScript in a folder that is no test. */
export function sourcesIn(folder: URL): URL[] {
  return scriptsIn(folder).filter(({ pathname }) => !pathname.endsWith("_test.ts"));
}
