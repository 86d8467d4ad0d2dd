/** The kinds of field in a result file, each with its description. Units are in the fields' names. */
import { z } from "../../base/zod.ts";

/** A whole number from 0 on. */
export const count = (what: string): z.ZodInt => z.int().nonnegative().describe(what);
/** A whole number from 1 on. */
export const positive = (what: string): z.ZodInt => z.int().positive().describe(what);
/** A number of bytes. */
export const bytes = count;
/** A number from 0 on. */
export const amount = (what: string): z.ZodNumber => z.number().nonnegative().describe(what);
/** A list of numbers from 0 on. */
export const amounts = (what: string): z.ZodArray<z.ZodNumber> =>
  z.array(z.number().nonnegative()).describe(what);
/** A list of token ids, of counts, or of bytes. */
export const counts = (what: string): z.ZodArray<z.ZodInt> => z.array(z.int().nonnegative()).describe(what);
/** A SHA-256 hash in hex. */
export const sha256Field = (what: string): z.ZodString =>
  z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits").describe(what);
