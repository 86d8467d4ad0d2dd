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

/** All TypeScript in a folder that is no test. */
export function sourcesIn(folder: URL): URL[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return sourcesIn(new URL(`${name}/`, folder));
    return name.endsWith(".ts") && !name.endsWith("_test.ts") ? [new URL(name, folder)] : [];
  });
}
