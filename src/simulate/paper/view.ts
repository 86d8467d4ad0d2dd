/**
 * A view of the PagedAttention paper with figures of one's own beside the paper's. This file owns the JSON format; it
 * measures nothing.
 *
 * @module
 */
import { z } from "../../base/zod.ts";

/** The views, in the order of the paper. */
export const VIEW_NAMES = ["waste", "batch", "sharing", "prefix", "block-size", "preemption"] as const;
/** Name of a view. */
export type ViewName = (typeof VIEW_NAMES)[number];

const figures = (what: string) => z.array(z.number().nullable()).describe(what);

/** Checks a {@linkcode View}. */
export const viewSchema = z.strictObject({
  name: z.enum(VIEW_NAMES).describe("Which view"),
  figure: z.string().describe("Figure of the paper"),
  title: z.string().describe("What it shows"),
  columns: z.array(z.strictObject({
    name: z.string().describe("What it is"),
    unit: z.string().describe("Unit of its values"),
  })).min(1).describe("What is shown of each row"),
  rows: z.array(z.strictObject({
    label: z.string().describe("The case"),
    here: figures("What this run found: [columns]; null where nothing was run"),
    paper: figures("What the paper says: [columns]; null where it gives no figure"),
  })).min(1).describe("Cases"),
  paper_says: z.string().nullable().describe("What the paper concludes where it gives no figures"),
  differences: z.array(z.string()).describe("How this run's set-up differs from the paper's"),
}).refine(
  ({ columns, rows }) =>
    rows.every(({ here, paper }) => here.length === columns.length && paper.length === columns.length),
  {
    path: ["rows"],
    message: "a row has not one value per column",
  },
);

/**
 * A view with its figures.
 *
 * @internal Tagged so because `deno doc --lint` takes the inferred type for a private one of zod.
 */
export type View = z.infer<typeof viewSchema>;
