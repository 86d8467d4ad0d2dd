/**
 * Pipelines and their WGSL, each once: modules as lists of declarations, whose order means nothing in WGSL. Names come
 * from what a kernel is for, so that a changed line of code changes one entry.
 */
import { codeOf } from "../../src/gpu/wgsl.ts";
import type { TracedKernel } from "./fake_gpu.ts";

const DECLARATION = /\b(?:fn|struct|var(?:<[^>]*>)?|override|const|alias)\s+(\w+)/;

/** A pipeline with its module cut into declarations. */
interface Entry {
  readonly kernel: TracedKernel;
  readonly declarations: readonly Declaration[];
  /** Sorts entries: what names them stands before what they compute. */
  readonly order: string;
}

interface Declaration {
  readonly name: string;
  readonly text: string;
}

/** Names for all pipelines of a trace. */
export class WgslTable {
  readonly #names = new Map<string, string>(); // by identity
  readonly #entries: { readonly name: string; readonly entry: Entry }[] = [];
  readonly #texts = new Map<string, string[]>(); // by name of declaration

  /** Takes every pipeline, in any order. */
  constructor(kernels: readonly TracedKernel[]) {
    const distinct = new Map(kernels.map((kernel) => [identity(kernel), kernel]));
    const entries = [...distinct.values()].map(entryOf).sort((a, b) => a.order < b.order ? -1 : 1);
    const counts = new Map<string, number>();
    for (const entry of entries) {
      const { kernel, declarations } = entry;
      const count = (counts.get(kernel.label) ?? 0) + 1;
      counts.set(kernel.label, count);
      const name = `${kernel.label}/${count}`;
      this.#names.set(identity(kernel), name);
      this.#entries.push({ name, entry });
      for (const { name, text } of declarations) {
        const texts = this.#texts.get(name) ?? [];
        if (!texts.includes(text)) texts.push(text);
        this.#texts.set(name, texts.sort());
      }
    }
  }

  /** The name of a pipeline, such as `qkv/2`. */
  nameOf(kernel: TracedKernel): string {
    return this.#names.get(identity(kernel))!;
  }

  /** Every pipeline: overrides, kinds of bindings, and the declarations of its module. */
  kernels(): string {
    const first = new Map<string, string>(); // name of the first kernel of a module
    return this.#entries.map(({ name, entry: { kernel, declarations } }) => {
      const names = declarations.map((each) => this.#nameOfDeclaration(each)).sort().join(" ");
      const known = first.get(names);
      first.set(names, known ?? name);
      const constants = Object.entries(kernel.constants).sort().map(([key, value]) => `${key}=${value}`);
      return [
        name,
        ...wrap(`  overrides ${constants.join(" ")}`),
        ...wrap(`  groups ${kernel.layouts.join(" | ")}`),
        ...wrap(known === undefined ? `  code ${names}` : `  code of ${known}`),
        "",
      ].join("\n");
    }).join("\n");
  }

  /** Every declaration. */
  wgsl(): string {
    const names = [...this.#texts.keys()].sort();
    return names.flatMap((name) =>
      this.#texts.get(name)!.map((text) => `=== ${this.#nameOfDeclaration({ name, text })}\n${text}\n`)
    ).join("\n");
  }

  #nameOfDeclaration({ name, text }: Declaration): string {
    const texts = this.#texts.get(name)!;
    return texts.length === 1 ? name : `${name}/${texts.indexOf(text) + 1}`;
  }
}

function identity({ label, code, constants, layouts }: TracedKernel): string {
  return JSON.stringify([label, layouts, Object.entries(constants).sort(), code]);
}

function entryOf(kernel: TracedKernel): Entry {
  const declarations = declarationsOf(kernel.code);
  const names = declarations.map(({ name }) => name).sort();
  const { label, layouts, constants } = kernel;
  const texts = declarations.map(({ text }) => text).sort();
  return {
    kernel,
    declarations,
    order: JSON.stringify([label, layouts, names, Object.entries(constants).sort(), texts]),
  };
}

/** Cuts a module where a declaration ends: at a semicolon, or a closing brace, outside all brackets. */
function declarationsOf(wgsl: string): Declaration[] {
  const declarations: Declaration[] = [];
  let depth = 0, text = "";
  for (const character of codeOf(wgsl)) {
    text += character;
    if ("{([".includes(character)) depth++;
    if ("})]".includes(character)) depth--;
    if (depth > 0 || (character !== ";" && character !== "}")) continue;
    const whole = text.trim();
    text = "";
    if (whole !== ";") declarations.push({ name: DECLARATION.exec(whole)?.[1] ?? whole, text: whole });
  }
  if (text.trim() !== "") throw new Error(`WGSL ends within a declaration: ${text}`);
  return declarations;
}

/** Breaks a long line between words. */
function wrap(line: string): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > 110) {
    const at = rest.lastIndexOf(" ", 110);
    lines.push(rest.slice(0, at));
    rest = `    ${rest.slice(at + 1)}`;
  }
  return [...lines, rest];
}
