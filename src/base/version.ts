/** The version of kvbench, the same as in `deno.json`. */

/** The version of kvbench. */
export const VERSION = "0.1.0";
