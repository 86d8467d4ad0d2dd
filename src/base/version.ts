/**
 * The version of kvbench, the same as in `deno.json`.
 *
 * @module
 */

/** The version of kvbench. */
export const VERSION = "0.1.0";
