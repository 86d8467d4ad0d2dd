/**
 * WGSL files, and their code without comments, indentation and empty lines, for comparisons and hashes. Compiles nothing.
 */

/** A WGSL file as imported. */
export interface WgslFile {
  /** Name in error messages. */
  readonly name: string;
  /** Text of the file. */
  readonly code: string;
}

/**
 * Reads the first number of a kernel's `@workgroup_size`: its lanes.
 *
 * @throws {Error} If that is an override, which whoever sets it knows.
 */
export function lanesOf({ name, code }: WgslFile): number {
  const lanes = /@workgroup_size\((\d+)[,)]/.exec(codeOf(code))?.[1];
  if (lanes === undefined) throw new Error(`${name} has no workgroup size in figures`);
  return Number(lanes);
}

/**
 * Returns a file under other names, for a module that it is joined to twice: those of its declarations and roles that begin
 * with one prefix begin with the other. Lines stay where they are.
 */
export function renamed({ name, code }: WgslFile, from: string, to: string): WgslFile {
  const upper = code.replaceAll(new RegExp(`\\b${from.toUpperCase()}_`, "g"), `${to.toUpperCase()}_`);
  return { name: `${name} of ${to}`, code: upper.replaceAll(new RegExp(`\\b${from}(?=[_ ])`, "g"), to) };
}

/** Removes comments, indentation, runs of spaces and empty lines. Block comments nest (WGSL section 3.3). */
export function codeOf(wgsl: string): string {
  const code = withoutComments(wgsl).split("\n").map((line) => line.replaceAll(/\s+/g, " ").trim());
  return code.filter((line) => line !== "").join("\n");
}

/**
 * Joins the code of files for a hash that changes with the compiled code alone, not with comments, names of files, or
 * their order.
 */
export function joinedCode(files: readonly Pick<WgslFile, "code">[]): string {
  return [...new Set(files.map(({ code }) => codeOf(code)))].sort().join("\n");
}

/** Replaces block comments with spaces and removes line comments; WGSL has no strings that could contain them. */
function withoutComments(wgsl: string): string {
  let code = "";
  for (let at = 0; at < wgsl.length;) {
    if (wgsl.startsWith("//", at)) {
      const end = wgsl.indexOf("\n", at);
      at = end < 0 ? wgsl.length : end;
    } else if (wgsl.startsWith("/*", at)) {
      at = afterBlock(wgsl, at);
      code += " ";
    } else code += wgsl[at++];
  }
  return code;
}

function afterBlock(wgsl: string, start: number): number {
  let depth = 0, at = start;
  do {
    if (wgsl.startsWith("/*", at)) {
      depth++;
      at += 2;
    } else if (wgsl.startsWith("*/", at)) {
      depth--;
      at += 2;
    } else at++;
  } while (depth > 0 && at < wgsl.length);
  return at;
}
