/**
 * Reading of the JSON files that kvbench writes: checks of their kind, version and fields, with one-line errors.
 */
import { z } from "../../base/zod.ts";
import { KvbenchError } from "../../base/errors.ts";

/** A kind of file, and its versions. */
export interface RecordKind {
  /** Its `kind`. */
  readonly kind: string;
  /** The `schema_version` that is written. */
  readonly version: number;
  /** Reasons for which an old version is refused, by version. Default: none. */
  readonly refused?: Readonly<Record<number, string>>;
  /** Makes a record of an old version one of this version, by version. Default: none is read. */
  readonly upgrades?: Readonly<Record<number, (record: Record<string, unknown>) => Record<string, unknown>>>;
}

/** Returns what a record of a kind begins with. */
export function headOf<const K extends RecordKind>(
  { kind, version }: K,
): { readonly schema_version: K["version"]; readonly kind: K["kind"] } {
  return { schema_version: version, kind };
}

/** Returns the schema of what a record of a kind begins with. */
export function headSchema<const K extends RecordKind>(
  { kind, version }: K,
): { schema_version: z.ZodLiteral<K["version"]>; kind: z.ZodLiteral<K["kind"]> } {
  return {
    schema_version: z.literal(version).describe("Version of this format"),
    kind: z.literal(kind).describe("Kind of this file"),
  };
}

/** The reader of a kind of file. */
export interface RecordReader<T> {
  /**
   * Checks that `json` is a record of this kind, and returns it as one of the current version.
   *
   * @param source Its name in errors: a path, or "stdin".
   * @throws {KvbenchError} If it is none; the error names the path of the first wrong field.
   */
  (json: unknown, source: string): T;
  /** The kind of file that it reads. */
  readonly known: RecordKind;
  /** Returns the format as a JSON Schema (draft 2020-12), with a description of every field. */
  jsonSchema(): Record<string, unknown>;
}

/** Makes the reader of a kind of file. */
export function recordReader<T>(schema: z.ZodType<T>, known: RecordKind): RecordReader<T> {
  return Object.assign((json: unknown, source: string) => parse(schema, known, json, source), {
    known,
    jsonSchema: () => z.toJSONSchema(schema),
  });
}

function parse<T>(schema: z.ZodType<T>, known: RecordKind, json: unknown, source: string): T {
  const head = z.looseObject({ kind: z.literal(known.kind), schema_version: z.int() }).safeParse(json);
  if (!head.success) {
    const found = kindOf(json);
    throw new KvbenchError(
      `Cannot read ${source}: it is ${found === null ? "no result" : `of kind "${found}"`}, ` +
        `expected an object of kind "${known.kind}"`,
    );
  }
  const version = head.data.schema_version;
  const upgrade = known.upgrades?.[version];
  if (version !== known.version && upgrade === undefined) {
    const why = known.refused?.[version];
    const readable = [...Object.keys(known.upgrades ?? {}), known.version].join(", ");
    throw new KvbenchError(
      `Cannot read ${source}: its schema_version is ${version}, this kvbench reads ${readable}` +
        (why === undefined ? "" : `, since ${why}`),
    );
  }
  const record = upgrade ? { ...upgrade(head.data), schema_version: known.version } : json;
  const parsed = schema.safeParse(record);
  if (parsed.success) return parsed.data;
  const [first, ...rest] = parsed.error.issues;
  const where = first === undefined || first.path.length === 0 ? "the top level" : formatPath(first.path);
  const why = (first?.message ?? "unknown reason").replace(/^Invalid input: /, "");
  const more = rest.length === 0 ? "" : ` (and ${rest.length} more)`;
  throw new KvbenchError(`Cannot read ${source}: ${where} is not valid: ${why}${more}`);
}

/** Returns the kind that a file names, or null where it names none. */
export function kindOf(json: unknown): string | null {
  const head = z.looseObject({ kind: z.string() }).safeParse(json);
  return head.success ? head.data.kind : null;
}

/** Formats `["cells", 0, "strategy"]` as `cells[0].strategy`. */
function formatPath(path: readonly PropertyKey[]): string {
  return path.map((key) => typeof key === "number" ? `[${key}]` : `.${String(key)}`).join("").replace(
    /^\./,
    "",
  );
}
