/**
 * The entry of the single-file build: the program, and all that `mod.ts` and `extend.ts` export.
 *
 * @module
 */
export * from "../extend.ts";
export * from "../mod.ts";
