/**
 * The description of result files, `docs/results.md`, from the schemas that check them. `deno task docs` writes it.
 */
import { fileURLToPath } from "node:url";
import { parseSelfTest } from "../src/check/selftest_result.ts";
import { parseLoad } from "../src/load/load_result.ts";
import { parseLadder } from "../src/measure/ladder/ladder_result.ts";
import { parseProfile } from "../src/measure/profile/profile_result.ts";
import { parseQuality } from "../src/measure/quality/quality_result.ts";
import { BENCH_READER } from "../src/measure/record/result.ts";
import { parsePaper } from "../src/simulate/paper/paper_result.ts";
import { parseServing } from "../src/simulate/serving_result.ts";

/** The readers of all kinds of files that kvbench writes. */
export const READERS = [
  BENCH_READER,
  parseLadder,
  parseProfile,
  parseQuality,
  parseServing,
  parsePaper,
  parseLoad,
  parseSelfTest,
] as const;

/** The parts of a JSON Schema that are read here. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema | false;
  readonly prefixItems?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** A field: its path, its type, and its meaning. */
interface Field {
  /** Such as `cells[].ttft_ms.median`. */
  readonly path: string;
  /** Such as "number or null". */
  readonly type: string;
  readonly meaning: string;
}

/** Lists every field of a schema, in order; a field that stands in several places is listed for each. */
export function fieldsOf(schema: unknown, path = ""): Field[] {
  const node = schema as Schema;
  const alternatives = [...(node.anyOf ?? []), ...(node.oneOf ?? [])];
  const own = Object.entries(node.properties ?? {}).flatMap(([key, child]): Field[] => {
    const at = path === "" ? key : `${path}.${key}`;
    return [{ path: at, type: typeOf(child), meaning: meaningOf(child) }, ...fieldsOf(child, at)];
  });
  const others = typeof node.additionalProperties === "object" && node.additionalProperties.description
    ? [{
      path: `${path}.*`,
      type: typeOf(node.additionalProperties),
      meaning: node.additionalProperties.description,
    }]
    : [];
  const items = node.items ? fieldsOf(node.items, `${path}[]`) : [];
  return [...own, ...others, ...items, ...alternatives.flatMap((each) => fieldsOf(each, path))];
}

/** A description, which a field that may be null has in its other alternative. */
function meaningOf({ description, anyOf = [], oneOf = [] }: Schema): string {
  return description ?? [...anyOf, ...oneOf].find((each) => each.description)?.description ?? "";
}

function typeOf(node: Schema): string {
  if (node.const !== undefined) return JSON.stringify(node.const);
  const alternatives = [...(node.anyOf ?? []), ...(node.oneOf ?? [])];
  if (alternatives.length > 0) return [...new Set(alternatives.map(typeOf))].join(" or ");
  const types = typeof node.type === "string" ? [node.type] : node.type ?? [];
  return types.map((type) => {
    if (type === "array") {
      if (node.prefixItems) return `[${node.prefixItems.map(typeOf).join(", ")}]`;
      return node.items ? `list of ${typeOf(node.items)}` : "list";
    }
    if (type === "string" && node.enum) {
      return node.enum.filter((value) => value !== null).map((value) => JSON.stringify(value)).join(" or ");
    }
    return type;
  }).join(" or ");
}

function fieldTable(schema: unknown): string {
  const escape = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
  const rows = fieldsOf(schema).map(({ path, type, meaning }) =>
    `| \`${path}\` | ${escape(type)} | ${escape(meaning)} |`
  );
  return ["| field | type | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}

/** The section of a kind of file. */
function section({ known: { kind, version, upgrades = {} }, jsonSchema }: (typeof READERS)[number]): string {
  const older = Object.keys(upgrades).join(", ");
  const read = older === "" ? "" : `Versions ${older} are read too.`;
  const command = kind.replace("kvbench.", "");
  return [`## \`${kind}\`, version ${version}`, `What \`${command}\` writes.`, read, fieldTable(jsonSchema())]
    .filter(Boolean)
    .join("\n\n");
}

/** Makes the whole document. */
export function resultsDocument(): string {
  return `# Result files

Every field of the files that kvbench writes. \`deno task docs\` makes this page from their schemas. Names of fields hold their units: \`_ms\`, \`_us\`, \`_bytes\`, \`_tokens\`.
A list's brackets say what it is indexed by.

A file is written as a whole under another name and then renamed, so that it is never half there. While \`bench\`
measures, \`complete\` is false and \`unfinished\` holds the runs of the group that is being measured; \`bench --resume\`
goes on from there.

A file with a \`schema_version\` that is not known here is refused, with the reason; older versions that are named here are
still read.
A version goes up with every change that an older reader would misread.

${READERS.map(section).join("\n\n")}
`;
}

if (import.meta.main) {
  const out = new URL("../docs/results.md", import.meta.url);
  await Deno.writeTextFile(out, resultsDocument());
  console.log(`Wrote ${fileURLToPath(out)}`);
}
