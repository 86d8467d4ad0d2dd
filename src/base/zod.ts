/**
 * zod, for every schema: the one place that names its version. Types at the public face that are inferred from a schema are
 * `@internal`, since `deno doc --lint` takes the schema for private.
 */
export { z } from "npm:zod@4.6.7";
