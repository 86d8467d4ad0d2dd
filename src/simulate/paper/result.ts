/**
 * The record that `paper` leaves behind. This file owns the JSON format and its version; it measures nothing.
 *
 * @module
 */
import { z } from "../../base/zod.ts";
import { parseRecord, type RecordKind } from "../../measure/record/record.ts";
import { servingSetupSchema, setupOfVersion1 } from "../result.ts";
import { viewSchema } from "./view.ts";

/** The kind of file. */
export const PAPER_KIND = {
  kind: "kvbench.paper",
  version: 2,
  refused: {},
  upgrades: { 1: setupOfVersion1 },
} as const satisfies RecordKind;

const schema = z.strictObject({
  schema_version: z.literal(PAPER_KIND.version).describe("Version of this format"),
  kind: z.literal(PAPER_KIND.kind).describe("What this file is"),
  ...servingSetupSchema.shape,
  views: z.array(viewSchema).min(1).describe("The views, in the order of the paper"),
});

/**
 * The paper's views of one set-up. What a view varies is said by its rows and columns; the rest is as in the set-up.
 *
 * @internal Tagged so because `deno doc --lint` takes the inferred type for a private one of zod.
 */
export type PaperResult = z.infer<typeof schema>;

/**
 * Checks that `json` is such a record.
 *
 * @param source Where it comes from, for the error message.
 * @throws {KvbenchError} If it is not one.
 */
export function parsePaper(json: unknown, source: string): PaperResult {
  return parseRecord(schema, PAPER_KIND, json, source);
}
