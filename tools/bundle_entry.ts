/** The entry of the single-file build: the program, and all that `mod.ts` and `extend.ts` export. */
export * from "../extend.ts";
export * from "../mod.ts";

import { main } from "../mod.ts";

if (import.meta.main) await main(Deno.args); // the bundler takes no other module for the main one
