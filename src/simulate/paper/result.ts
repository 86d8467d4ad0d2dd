/**
 * The record that `paper` leaves behind. This file owns the JSON format and its version; it measures nothing.
 *
 * @module
 */
import { z } from "../../base/zod.ts";
import { type RecordKind, recordReader } from "../../measure/record/record.ts";
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

/** The paper's views of one set-up. What a view varies is said by its rows and columns; the rest is as in the set-up. */
export type PaperResult = z.infer<typeof schema>;

/** Checks that a value is a record of the paper's views. */
export const parsePaper = recordReader(schema, PAPER_KIND);
