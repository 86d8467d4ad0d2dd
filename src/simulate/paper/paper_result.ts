/**
 * The record that `paper` writes, and its views: a run's figures beside those of the PagedAttention paper. Owns the JSON
 * format and its version.
 */
import { z } from "../../base/zod.ts";
import { headSchema, type RecordKind, recordReader } from "../../measure/record/record.ts";
import { servingSetupSchema, setupOfVersion1 } from "../serving_result.ts";

/** Names of the views, in the order of the paper. */
export const VIEW_NAMES = ["waste", "batch", "sharing", "prefix", "block-size", "preemption"] as const;
/** Name of a view. */
export type ViewName = (typeof VIEW_NAMES)[number];

const figures = (what: string) => z.array(z.number().nullable()).describe(what);

/** Checks a {@linkcode View}. */
export const viewSchema = z.strictObject({
  name: z.enum(VIEW_NAMES).describe("Name of the view"),
  figure: z.string().describe("Number of the paper's figure"),
  title: z.string().describe("Title of the view"),
  columns: z.array(z.strictObject({
    name: z.string().describe("Title of the column"),
    unit: z.string().describe("Unit of its values"),
  })).min(1).describe("Columns"),
  rows: z.array(z.strictObject({
    label: z.string().describe("The case"),
    here: figures("Figures of this run: [columns]; null where nothing was run"),
    paper: figures("Figures of the paper: [columns]; null where it gives none"),
  })).min(1).describe("Cases"),
  paper_says: z.string().nullable().describe("Conclusion of the paper where it gives no figures"),
  differences: z.array(z.string()).describe("Differences of this run's set-up from the paper's"),
}).refine(
  ({ columns, rows }) =>
    rows.every(({ here, paper }) => here.length === columns.length && paper.length === columns.length),
  {
    path: ["rows"],
    message: "expected one value per column in each row",
  },
);

/** A view with its figures. */
export type View = z.infer<typeof viewSchema>;

/** The kind of file. */
export const PAPER_KIND = {
  kind: "kvbench.paper",
  version: 2,
  upgrades: { 1: setupOfVersion1 },
} as const satisfies RecordKind;

const schema = z.strictObject({
  ...headSchema(PAPER_KIND),
  ...servingSetupSchema.shape,
  views: z.array(viewSchema).min(1).describe("The views, in the order of the paper"),
});

/** @internal The paper's views of one set-up. A view's rows and columns say what it varies. */
export type PaperResult = z.infer<typeof schema>;

/** Checks that a value is a record of the paper's views. */
export const parsePaper = recordReader(schema, PAPER_KIND);
